;; The inner loop of CRC-64: crc64.ts has it in TypeScript, eight bytes at a time. Built by `wat2wasm crc64.wat`; the bytes
;; are in crc64-bytes.ts, and a test makes them again.
;;
;; Sixteen bytes at a time. The memory begins with sixteen tables of 256 sums of 64 bits: table n has what a byte becomes
;; with n zero bytes behind it. Behind them stands the sum, and 16 bytes further what is to be summed, which is a multiple
;; of sixteen bytes.
(module
  (import "host" "memory" (memory 1))
  (global $state i32 (i32.const 32768))
  (func (export "sum") (param $at i32) (param $end i32)
    (local $sum i64) (local $first i64) (local $second i64)
    (local.set $sum (i64.load (global.get $state)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $first (i64.xor (local.get $sum) (i64.load (local.get $at))))
        (local.set $second (i64.load offset=8 (local.get $at)))
        (local.set $sum (i64.xor
          (i64.load offset=30720 (i32.and (i32.wrap_i64 (i64.shl (local.get $first) (i64.const 3))) (i32.const 0x7f8)))
          (i64.load offset=28672 (i32.and (i32.wrap_i64 (i64.shr_u (local.get $first) (i64.const 5))) (i32.const 0x7f8)))))
        (local.set $sum (i64.xor (local.get $sum) (i64.xor
          (i64.load offset=26624 (i32.and (i32.wrap_i64 (i64.shr_u (local.get $first) (i64.const 13))) (i32.const 0x7f8)))
          (i64.load offset=24576 (i32.and (i32.wrap_i64 (i64.shr_u (local.get $first) (i64.const 21))) (i32.const 0x7f8))))))
        (local.set $sum (i64.xor (local.get $sum) (i64.xor
          (i64.load offset=22528 (i32.and (i32.wrap_i64 (i64.shr_u (local.get $first) (i64.const 29))) (i32.const 0x7f8)))
          (i64.load offset=20480 (i32.and (i32.wrap_i64 (i64.shr_u (local.get $first) (i64.const 37))) (i32.const 0x7f8))))))
        (local.set $sum (i64.xor (local.get $sum) (i64.xor
          (i64.load offset=18432 (i32.and (i32.wrap_i64 (i64.shr_u (local.get $first) (i64.const 45))) (i32.const 0x7f8)))
          (i64.load offset=16384 (i32.and (i32.wrap_i64 (i64.shr_u (local.get $first) (i64.const 53))) (i32.const 0x7f8))))))
        (local.set $sum (i64.xor (local.get $sum) (i64.xor
          (i64.load offset=14336 (i32.and (i32.wrap_i64 (i64.shl (local.get $second) (i64.const 3))) (i32.const 0x7f8)))
          (i64.load offset=12288 (i32.and (i32.wrap_i64 (i64.shr_u (local.get $second) (i64.const 5))) (i32.const 0x7f8))))))
        (local.set $sum (i64.xor (local.get $sum) (i64.xor
          (i64.load offset=10240 (i32.and (i32.wrap_i64 (i64.shr_u (local.get $second) (i64.const 13))) (i32.const 0x7f8)))
          (i64.load offset=8192 (i32.and (i32.wrap_i64 (i64.shr_u (local.get $second) (i64.const 21))) (i32.const 0x7f8))))))
        (local.set $sum (i64.xor (local.get $sum) (i64.xor
          (i64.load offset=6144 (i32.and (i32.wrap_i64 (i64.shr_u (local.get $second) (i64.const 29))) (i32.const 0x7f8)))
          (i64.load offset=4096 (i32.and (i32.wrap_i64 (i64.shr_u (local.get $second) (i64.const 37))) (i32.const 0x7f8))))))
        (local.set $sum (i64.xor (local.get $sum) (i64.xor
          (i64.load offset=2048 (i32.and (i32.wrap_i64 (i64.shr_u (local.get $second) (i64.const 45))) (i32.const 0x7f8)))
          (i64.load (i32.and (i32.wrap_i64 (i64.shr_u (local.get $second) (i64.const 53))) (i32.const 0x7f8))))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $next)))
    (i64.store (global.get $state) (local.get $sum))))
