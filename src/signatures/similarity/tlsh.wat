;; The counting of TLSH: tlsh.ts has the same loop in TypeScript, which says what is counted. Built by `wat2wasm tlsh.wat`;
;; the bytes are in tlsh-bytes.ts, and a test makes them again.
;;
;; The memory begins with the permutation of 256 bytes and, behind it, the first steps of the seven hashes, 256 bytes
;; each. Behind these stand 256 counters of 32 bits, then five numbers of 32 bits that last from call to call: the four
;; bytes before, oldest first, and the checksum. The rest is for the bytes.
(module
  (import "host" "memory" (memory 1))
  (global $counts i32 (i32.const 2048))
  (global $state i32 (i32.const 3072))
  (func (export "search") (param $at i32) (param $end i32)
    (local $byte i32) (local $place i32) (local $checksum i32)
    (local $p1 i32) (local $p2 i32) (local $p3 i32) (local $p4 i32)
    (local.set $p4 (i32.load (global.get $state)))
    (local.set $p3 (i32.load offset=4 (global.get $state)))
    (local.set $p2 (i32.load offset=8 (global.get $state)))
    (local.set $p1 (i32.load offset=12 (global.get $state)))
    (local.set $checksum (i32.load offset=16 (global.get $state)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $byte (i32.load8_u (local.get $at)))
        (local.set $checksum (i32.load8_u (i32.xor
          (i32.load8_u (i32.xor (i32.load8_u offset=256 (local.get $byte)) (local.get $p1)))
          (local.get $checksum))))
        ;; row 1
        (local.set $place (i32.add (global.get $counts) (i32.shl (i32.xor
          (i32.load8_u (i32.xor (i32.load8_u offset=512 (local.get $byte)) (local.get $p1)))
          (local.get $p2)) (i32.const 2))))
        (i32.store (local.get $place) (i32.add (i32.load (local.get $place)) (i32.const 1)))
        ;; row 2
        (local.set $place (i32.add (global.get $counts) (i32.shl (i32.xor
          (i32.load8_u (i32.xor (i32.load8_u offset=768 (local.get $byte)) (local.get $p1)))
          (local.get $p3)) (i32.const 2))))
        (i32.store (local.get $place) (i32.add (i32.load (local.get $place)) (i32.const 1)))
        ;; row 3
        (local.set $place (i32.add (global.get $counts) (i32.shl (i32.xor
          (i32.load8_u (i32.xor (i32.load8_u offset=1024 (local.get $byte)) (local.get $p2)))
          (local.get $p3)) (i32.const 2))))
        (i32.store (local.get $place) (i32.add (i32.load (local.get $place)) (i32.const 1)))
        ;; row 4
        (local.set $place (i32.add (global.get $counts) (i32.shl (i32.xor
          (i32.load8_u (i32.xor (i32.load8_u offset=1280 (local.get $byte)) (local.get $p2)))
          (local.get $p4)) (i32.const 2))))
        (i32.store (local.get $place) (i32.add (i32.load (local.get $place)) (i32.const 1)))
        ;; row 5
        (local.set $place (i32.add (global.get $counts) (i32.shl (i32.xor
          (i32.load8_u (i32.xor (i32.load8_u offset=1536 (local.get $byte)) (local.get $p1)))
          (local.get $p4)) (i32.const 2))))
        (i32.store (local.get $place) (i32.add (i32.load (local.get $place)) (i32.const 1)))
        ;; row 6
        (local.set $place (i32.add (global.get $counts) (i32.shl (i32.xor
          (i32.load8_u (i32.xor (i32.load8_u offset=1792 (local.get $byte)) (local.get $p3)))
          (local.get $p4)) (i32.const 2))))
        (i32.store (local.get $place) (i32.add (i32.load (local.get $place)) (i32.const 1)))
        (local.set $p4 (local.get $p3))
        (local.set $p3 (local.get $p2))
        (local.set $p2 (local.get $p1))
        (local.set $p1 (local.get $byte))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.store (global.get $state) (local.get $p4))
    (i32.store offset=4 (global.get $state) (local.get $p3))
    (i32.store offset=8 (global.get $state) (local.get $p2))
    (i32.store offset=12 (global.get $state) (local.get $p1))
    (i32.store offset=16 (global.get $state) (local.get $checksum))))
