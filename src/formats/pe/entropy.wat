;; Counts how often each byte occurs: entropy.ts has the same loop in TypeScript. Built by `wat2wasm entropy.wat`; the
;; bytes are in entropy-bytes.ts, and a test makes them again.
;;
;; The memory begins with four tables of 256 counters of 32 bits: neighbours count in tables of their own, so that a
;; byte that repeats does not wait for its own counter. Behind them come the bytes, eight at a time.
(module
  (import "host" "memory" (memory 1))
  (func (export "search") (param $at i32) (param $end i32)
    (local $eight i64) (local $place i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $eight (i64.load (local.get $at)))
        (local.set $place (i32.shl (i32.and (i32.wrap_i64 (local.get $eight)) (i32.const 0xff)) (i32.const 2)))
        (i32.store (local.get $place) (i32.add (i32.load (local.get $place)) (i32.const 1)))
        (local.set $place (i32.and (i32.wrap_i64 (i64.shr_u (local.get $eight) (i64.const 6))) (i32.const 0x3fc)))
        (i32.store offset=1024 (local.get $place) (i32.add (i32.load offset=1024 (local.get $place)) (i32.const 1)))
        (local.set $place (i32.and (i32.wrap_i64 (i64.shr_u (local.get $eight) (i64.const 14))) (i32.const 0x3fc)))
        (i32.store offset=2048 (local.get $place) (i32.add (i32.load offset=2048 (local.get $place)) (i32.const 1)))
        (local.set $place (i32.and (i32.wrap_i64 (i64.shr_u (local.get $eight) (i64.const 22))) (i32.const 0x3fc)))
        (i32.store offset=3072 (local.get $place) (i32.add (i32.load offset=3072 (local.get $place)) (i32.const 1)))
        (local.set $place (i32.and (i32.wrap_i64 (i64.shr_u (local.get $eight) (i64.const 30))) (i32.const 0x3fc)))
        (i32.store (local.get $place) (i32.add (i32.load (local.get $place)) (i32.const 1)))
        (local.set $place (i32.and (i32.wrap_i64 (i64.shr_u (local.get $eight) (i64.const 38))) (i32.const 0x3fc)))
        (i32.store offset=1024 (local.get $place) (i32.add (i32.load offset=1024 (local.get $place)) (i32.const 1)))
        (local.set $place (i32.and (i32.wrap_i64 (i64.shr_u (local.get $eight) (i64.const 46))) (i32.const 0x3fc)))
        (i32.store offset=2048 (local.get $place) (i32.add (i32.load offset=2048 (local.get $place)) (i32.const 1)))
        (local.set $place (i32.and (i32.wrap_i64 (i64.shr_u (local.get $eight) (i64.const 54))) (i32.const 0x3fc)))
        (i32.store offset=3072 (local.get $place) (i32.add (i32.load offset=3072 (local.get $place)) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $next)))))
