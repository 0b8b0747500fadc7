;; The inner loop of the search over four positions at once; search-four-streams.ts is the same in TypeScript, and says
;; why there are four. Built by `wat2wasm search.wat`; the bytes are in search-bytes.ts, and a test makes them again.
;;
;; The memory holds, at offsets that the caller chooses: the table, whose entries are byte offsets of rows, with bit 31
;; for a hit; the class of each byte, times four, as 16 bits; the window; and, for each stream, room for hits, pairs of
;; position and row.
(module
  (import "host" "memory" (memory 1))

  ;; Runs the streams over the window. Tells what ends at an index of `lead` or above, counted from the start of the
  ;; quarter. Stops telling, but goes on counting, when a stream has more hits than `capacity`.
  ;;
  ;; The four counts are left at `counts`, as 32 bits each, and the state of the last stream behind them.
  (func (export "search")
    (param $table i32) (param $classes i32) (param $window i32)
    (param $quarter i32) (param $lead i32)
    (param $hits i32) (param $capacity i32) (param $counts i32)
    (local $index i32) (local $end i32) (local $out i32)
    (local $state0 i32) (local $state1 i32) (local $state2 i32) (local $state3 i32)
    (local $count0 i32) (local $count1 i32) (local $count2 i32) (local $count3 i32)
    (local $second i32) (local $third i32) (local $fourth i32) (local $room i32)
    (local.set $second (i32.add (local.get $window) (local.get $quarter)))
    (local.set $third (i32.add (local.get $second) (local.get $quarter)))
    (local.set $fourth (i32.add (local.get $third) (local.get $quarter)))
    (local.set $end (i32.add (local.get $quarter) (local.get $lead)))
    (local.set $room (i32.shl (local.get $capacity) (i32.const 3)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $index) (local.get $end)))
        (local.set $state0 (i32.load (i32.add
          (i32.add (local.get $table) (i32.and (local.get $state0) (i32.const 0x7fffffff)))
          (i32.load16_u (i32.add (local.get $classes) (i32.shl
            (i32.load8_u (i32.add (local.get $window) (local.get $index))) (i32.const 1)))))))
        (local.set $state1 (i32.load (i32.add
          (i32.add (local.get $table) (i32.and (local.get $state1) (i32.const 0x7fffffff)))
          (i32.load16_u (i32.add (local.get $classes) (i32.shl
            (i32.load8_u (i32.add (local.get $second) (local.get $index))) (i32.const 1)))))))
        (local.set $state2 (i32.load (i32.add
          (i32.add (local.get $table) (i32.and (local.get $state2) (i32.const 0x7fffffff)))
          (i32.load16_u (i32.add (local.get $classes) (i32.shl
            (i32.load8_u (i32.add (local.get $third) (local.get $index))) (i32.const 1)))))))
        (local.set $state3 (i32.load (i32.add
          (i32.add (local.get $table) (i32.and (local.get $state3) (i32.const 0x7fffffff)))
          (i32.load16_u (i32.add (local.get $classes) (i32.shl
            (i32.load8_u (i32.add (local.get $fourth) (local.get $index))) (i32.const 1)))))))
        (if (i32.lt_s
              (i32.or (i32.or (local.get $state0) (local.get $state1))
                      (i32.or (local.get $state2) (local.get $state3)))
              (i32.const 0))
          (then (if (i32.ge_u (local.get $index) (local.get $lead))
            (then
              (if (i32.lt_s (local.get $state0) (i32.const 0)) (then
                (if (i32.lt_u (local.get $count0) (local.get $capacity)) (then
                  (local.set $out (i32.add (local.get $hits) (i32.shl (local.get $count0) (i32.const 3))))
                  (i32.store (local.get $out) (local.get $index))
                  (i32.store offset=4 (local.get $out) (local.get $state0))))
                (local.set $count0 (i32.add (local.get $count0) (i32.const 1)))))
              (if (i32.lt_s (local.get $state1) (i32.const 0)) (then
                (if (i32.lt_u (local.get $count1) (local.get $capacity)) (then
                  (local.set $out (i32.add
                    (i32.add (local.get $hits) (local.get $room))
                    (i32.shl (local.get $count1) (i32.const 3))))
                  (i32.store (local.get $out) (i32.add (local.get $quarter) (local.get $index)))
                  (i32.store offset=4 (local.get $out) (local.get $state1))))
                (local.set $count1 (i32.add (local.get $count1) (i32.const 1)))))
              (if (i32.lt_s (local.get $state2) (i32.const 0)) (then
                (if (i32.lt_u (local.get $count2) (local.get $capacity)) (then
                  (local.set $out (i32.add
                    (i32.add (local.get $hits) (i32.shl (local.get $room) (i32.const 1)))
                    (i32.shl (local.get $count2) (i32.const 3))))
                  (i32.store (local.get $out)
                    (i32.add (i32.shl (local.get $quarter) (i32.const 1)) (local.get $index)))
                  (i32.store offset=4 (local.get $out) (local.get $state2))))
                (local.set $count2 (i32.add (local.get $count2) (i32.const 1)))))
              (if (i32.lt_s (local.get $state3) (i32.const 0)) (then
                (if (i32.lt_u (local.get $count3) (local.get $capacity)) (then
                  (local.set $out (i32.add
                    (i32.add (local.get $hits) (i32.mul (local.get $room) (i32.const 3)))
                    (i32.shl (local.get $count3) (i32.const 3))))
                  (i32.store (local.get $out)
                    (i32.add (i32.mul (local.get $quarter) (i32.const 3)) (local.get $index)))
                  (i32.store offset=4 (local.get $out) (local.get $state3))))
                (local.set $count3 (i32.add (local.get $count3) (i32.const 1)))))))))
        (local.set $index (i32.add (local.get $index) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $counts) (local.get $count0))
    (i32.store offset=4 (local.get $counts) (local.get $count1))
    (i32.store offset=8 (local.get $counts) (local.get $count2))
    (i32.store offset=12 (local.get $counts) (local.get $count3))
    (i32.store offset=16 (local.get $counts) (local.get $state3))))
