;; A search that looks at every second byte only: the four bytes there are hashed, without regard to case, and a table
;; says whether a pattern may begin there or one byte before. Where one may, the trie of the patterns is followed.
;; search-filtered.ts fills the memory. Built by `wat2wasm filter.wat`; the bytes are in filter-bytes.ts, and a test
;; makes them again.
;;
;; The memory holds, at offsets that the caller chooses: the trie, whose entries are byte offsets of rows, 0 where no
;; pattern goes on, with bit 31 where one ends; the class of each byte, times four, as 16 bits; the filter, a byte for
;; each hash, bit 0 for a pattern that begins at the four bytes and bit 1 for one that begins one byte before; the
;; window, with eight bytes behind it that may hold anything; and room for hits, pairs of position and entry.
(module
  (import "host" "memory" (memory 1))
  (global $trie (mut i32) (i32.const 0))
  (global $classes (mut i32) (i32.const 0))
  (global $window (mut i32) (i32.const 0))
  (global $length (mut i32) (i32.const 0))
  (global $overlap (mut i32) (i32.const 0))
  (global $hits (mut i32) (i32.const 0))
  (global $capacity (mut i32) (i32.const 0))
  (global $count (mut i32) (i32.const 0))
  (global $steps (mut i32) (i32.const 0))

  ;; Follows the trie from a position; tells what ends at an index of `overlap` or above.
  (func $follow (param $at i32)
    (local $entry i32) (local $out i32)
    (loop $next
      (if (i32.ge_u (local.get $at) (global.get $length)) (then (return)))
      (global.set $steps (i32.add (global.get $steps) (i32.const 1)))
      (local.set $entry (i32.load (i32.add
        (i32.add (global.get $trie) (i32.and (local.get $entry) (i32.const 0x7fffffff)))
        (i32.load16_u (i32.add (global.get $classes) (i32.shl
          (i32.load8_u (i32.add (global.get $window) (local.get $at))) (i32.const 1)))))))
      (if (i32.eqz (local.get $entry)) (then (return)))
      (if (i32.and
            (i32.lt_s (local.get $entry) (i32.const 0))
            (i32.ge_u (local.get $at) (global.get $overlap)))
        (then
          (if (i32.lt_u (global.get $count) (global.get $capacity)) (then
            (local.set $out (i32.add (global.get $hits) (i32.shl (global.get $count) (i32.const 3))))
            (i32.store (local.get $out) (local.get $at))
            (i32.store offset=4 (local.get $out) (local.get $entry))))
          (global.set $count (i32.add (global.get $count) (i32.const 1)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))

  (func $check (param $at i32) (param $found i32)
    (if (i32.and (i32.and (local.get $found) (i32.const 2)) (i32.shl (i32.ne (local.get $at) (i32.const 0)) (i32.const 1)))
      (then (call $follow (i32.sub (local.get $at) (i32.const 1)))))
    (if (i32.and (local.get $found) (i32.const 1)) (then (call $follow (local.get $at)))))

  ;; Searches the window from an index on. Stops telling, but goes on counting, when there are more hits than
  ;; `capacity`; breaks off when the trie was followed for more than `stepsMax` bytes.
  ;;
  ;; Gives the number of hits, or -1 when it broke off.
  (func (export "search")
    (param $trieAt i32) (param $classesAt i32) (param $filter i32) (param $shift i32)
    (param $windowAt i32) (param $from i32) (param $size i32) (param $overlapSize i32)
    (param $hitsAt i32) (param $room i32) (param $stepsMax i32) (result i32)
    (local $at i32) (local $end i32) (local $here i32)
    (local $one i32) (local $two i32) (local $three i32) (local $four i32)
    (global.set $trie (local.get $trieAt))
    (global.set $classes (local.get $classesAt))
    (global.set $window (local.get $windowAt))
    (global.set $length (local.get $size))
    (global.set $overlap (local.get $overlapSize))
    (global.set $hits (local.get $hitsAt))
    (global.set $capacity (local.get $room))
    (global.set $count (i32.const 0))
    (global.set $steps (i32.const 0))
    (local.set $at (local.get $from))
    (local.set $end (i32.sub (local.get $size) (i32.const 2)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_s (local.get $at) (local.get $end)))
        (local.set $here (i32.add (local.get $windowAt) (local.get $at)))
        (local.set $one (i32.load8_u (i32.add (local.get $filter) (i32.shr_u (i32.mul
          (i32.or (i32.load (local.get $here)) (i32.const 0x20202020))
          (i32.const 0x9e3779b1)) (local.get $shift)))))
        (local.set $two (i32.load8_u (i32.add (local.get $filter) (i32.shr_u (i32.mul
          (i32.or (i32.load offset=2 (local.get $here)) (i32.const 0x20202020))
          (i32.const 0x9e3779b1)) (local.get $shift)))))
        (local.set $three (i32.load8_u (i32.add (local.get $filter) (i32.shr_u (i32.mul
          (i32.or (i32.load offset=4 (local.get $here)) (i32.const 0x20202020))
          (i32.const 0x9e3779b1)) (local.get $shift)))))
        (local.set $four (i32.load8_u (i32.add (local.get $filter) (i32.shr_u (i32.mul
          (i32.or (i32.load offset=6 (local.get $here)) (i32.const 0x20202020))
          (i32.const 0x9e3779b1)) (local.get $shift)))))
        (if (i32.or
              (i32.or (local.get $one) (local.get $two))
              (i32.or (local.get $three) (local.get $four)))
          (then
            (if (local.get $one) (then (call $check (local.get $at) (local.get $one))))
            (if (local.get $two) (then
              (call $check (i32.add (local.get $at) (i32.const 2)) (local.get $two))))
            (if (local.get $three) (then
              (call $check (i32.add (local.get $at) (i32.const 4)) (local.get $three))))
            (if (local.get $four) (then
              (call $check (i32.add (local.get $at) (i32.const 6)) (local.get $four))))
            (if (i32.gt_u (global.get $steps) (local.get $stepsMax)) (then (return (i32.const -1))))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $next)))
    (global.get $count)))
