/**
 * Writes the source of the LZMA kernel, as WebAssembly text. `wat2wasm` makes the bytes of it that are in
 * `src/formats/codecs/lzma-bytes.ts`; a test makes them again, and puts them there when it is told to.
 *
 * The kernel is the loop of `src/formats/codecs/lzma-plain.ts`. It is written by a program because it decodes a bit in
 * two dozen places, each time with the range coder in local variables: a function of WebAssembly has no way to change
 * its caller's. How it differs from the plain loop:
 *
 * - The bits of a tree are decoded without a branch: what they are decides what is selected, not where to go on.
 *   They are noise by design, and a processor would guess every sixth wrong.
 * - Trees of known depth are unrolled; tables lie at addresses known here, and symbols are counted in bytes of a table.
 * - Input is read without a check. Its last piece has zeros behind it, more than a symbol can use, and after each
 *   symbol the kernel looks whether it read too far.
 * - The dictionary is a ring. Matches are copied eight bytes at a time, and may write seven bytes too many, which are
 *   too old for any match.
 *
 * Names as in the specification: https://www.7-zip.org/sdk.html, `lzma-specification.txt`.
 */
import {
  alignAt,
  isMatchAt,
  isRep0LongAt,
  isRepAt,
  isRepG0At,
  isRepG1At,
  isRepG2At,
  lengthHigh,
  lengthLow,
  lengthMiddle,
  literalContextSize,
  matchLengthAt,
  repLengthAt,
  slotAt,
  specialPositionAt,
} from '../src/formats/codecs/lzma-core.ts';
import { kernelState, kernelStops, kernelTables } from '../src/formats/codecs/lzma-wasm.ts';

/** An expression or a statement. */
type Code = string;
type Operand = Code | number;

const parameters = ['input', 'safeEnd', 'inputEnd', 'output', 'limit'] as const;
/** What a run takes from the state, and leaves in it. */
const kept = ['range', 'code', 'state', 'rep0', 'rep1', 'rep2', 'rep3', 'pendingLength'] as const;
/** What a run takes from the state, and does not change. */
const given = [
  'lc',
  'lpMask',
  'pbMask',
  'maximumDistance',
  'oldest',
  'dictionary',
  'dictionaryBytes',
] as const;
const locals = [
  ...[
    'address',
    'probability',
    'probabilityOfZero',
    'probabilityOfOne',
    'bound',
    'tree',
    'symbol',
    'positionState',
  ],
  ...['matchByte', 'matchBit', 'offset', 'lengthTable', 'distance', 'slot', 'bits', 'shift'],
  ...['from', 'end', 'part', 'stop'],
] as const;

type Name =
  | (typeof parameters)[number]
  | (typeof kept)[number]
  | (typeof given)[number]
  | (typeof locals)[number];

const get = (name: Name): Code => `(local.get $${name})`;
const toCode = (operand: Operand): Code => (typeof operand === 'number' ? `(i32.const ${operand})` : operand);
const set = (name: Name, value: Operand): Code => `(local.set $${name} ${toCode(value)})`;
const operation =
  (name: string) =>
  (left: Operand, right: Operand): Code =>
    `(i32.${name} ${toCode(left)} ${toCode(right)})`;
const add = operation('add');
const subtract = operation('sub');
const multiply = operation('mul');
const and = operation('and');
const or = operation('or');
const xor = operation('xor');
const shiftLeft = operation('shl');
const shiftRight = operation('shr_u');
const shiftRightSigned = operation('shr_s');
const isEqual = operation('eq');
const isBelow = operation('lt_u');
const isAbove = operation('gt_u');
const isAtLeast = operation('ge_u');
const select = (condition: Code, yes: Operand, no: Operand): Code =>
  `(select ${toCode(yes)} ${toCode(no)} ${condition})`;
const when = (condition: Code, yes: Code, no?: Code): Code =>
  `(if ${condition} (then ${yes})${no === undefined ? '' : ` (else ${no})`})`;
const block = (label: string, body: Code): Code => `(block $${label} ${body})`;
const loop = (label: string, body: Code): Code => `(loop $${label} ${body})`;
const branch = (label: string): Code => `(br $${label})`;
const branchIf = (label: string, condition: Code): Code => `(br_if $${label} ${condition})`;
const load8 = (address: Code): Code => `(i32.load8_u ${address})`;
const store8 = (address: Code, value: Code): Code => `(i32.store8 ${address} ${value})`;
const lines = (...code: readonly Code[]): Code => code.join('\n');
const repeat = (times: number, code: Code): Code => lines(...Array.from({ length: times }, () => code));
const stopWith = (stop: keyof typeof kernelStops): Code =>
  lines(set('stop', kernelStops[stop]), branch('done'));

/** Address of a table of probabilities. */
const toAddress = (entry: number): number => kernelTables.tablesAt + entry * 2;
/** Offset in bytes of an entry. */
const entries = (index: Operand): Code => shiftLeft(index, 1);

const normalise = when(
  isBelow(get('range'), 0x100_0000),
  lines(
    set('range', shiftLeft(get('range'), 8)),
    set('code', or(shiftLeft(get('code'), 8), load8(get('input')))),
    set('input', add(get('input'), 1)),
  ),
);

const loadProbability = (table: number, address: Code): Code => `(i32.load16_u offset=${table} ${address})`;
/** The bound between a zero and a one, by `probability`. */
const setBound = lines(normalise, set('bound', multiply(shiftRight(get('range'), 11), get('probability'))));
/** What comes before the decision: the probability at `place`, an offset into `table`, and the bound. */
const startBit = (table: number, place: Code): Code =>
  lines(set('address', place), set('probability', loadProbability(table, get('address'))), setBound);
const keepProbability = (table: number, value: Code): Code =>
  `(i32.store16 offset=${table} ${get('address')} ${value})`;

/** Decodes a bit, and goes on where it says. */
const decide = (table: number, place: Code, zero: Code, one: Code): Code =>
  lines(
    startBit(table, place),
    when(
      isBelow(get('code'), get('bound')),
      lines(
        set('range', get('bound')),
        keepProbability(table, add(get('probability'), shiftRight(subtract(2048, get('probability')), 5))),
        zero,
      ),
      lines(
        set('range', subtract(get('range'), get('bound'))),
        set('code', subtract(get('code'), get('bound'))),
        keepProbability(table, subtract(get('probability'), shiftRight(get('probability'), 5))),
        one,
      ),
    ),
  );

/**
 * Whether the bit is a one. It is compared again wherever that is asked for: measured, that is faster than a local
 * variable with the result.
 */
const isOne = isAtLeast(get('code'), get('bound'));

/**
 * The decision without a branch. Where the bit is zero the probability grows by (2048 - p) >> 5, which is to say that
 * (p - 2017) >> 5, below zero, is taken away.
 *
 * @param use - what is done with the bit, while {@link isOne} can be asked
 */
const chooseBit = (table: number, use: Code): Code =>
  lines(
    keepProbability(
      table,
      subtract(
        get('probability'),
        shiftRightSigned(select(isOne, get('probability'), subtract(get('probability'), 2017)), 5),
      ),
    ),
    use,
    set('range', select(isOne, subtract(get('range'), get('bound')), get('bound'))),
    set('code', select(isOne, subtract(get('code'), get('bound')), get('code'))),
  );
const decodeBit = (table: number, place: Code, use: Code): Code =>
  lines(startBit(table, place), chooseBit(table, use));

// In a tree `symbol` counts bytes: it is twice the symbol of the specification.
const symbolPlace = add(get('tree'), get('symbol'));
const appendBit = set('symbol', add(entries(get('symbol')), entries(isOne)));

/**
 * The symbol of a tree, with the bit in front that marks its start. The probabilities of both branches are loaded
 * before it is known which one is taken.
 */
const decodeTree = (table: number, depth: number): Code => {
  const takeBranch = lines(
    set('probability', select(isOne, get('probabilityOfOne'), get('probabilityOfZero'))),
    set('symbol', add(get('symbol'), entries(isOne))),
  );
  const inside = lines(
    set('address', symbolPlace),
    set('symbol', entries(get('symbol'))),
    set('probabilityOfZero', loadProbability(table, symbolPlace)),
    set('probabilityOfOne', loadProbability(table + 2, symbolPlace)),
    setBound,
    chooseBit(table, takeBranch),
  );
  return lines(
    set('symbol', 2),
    set('probability', loadProbability(table + 2, get('tree'))),
    repeat(depth - 1, inside),
    set('address', symbolPlace),
    setBound,
    chooseBit(table, appendBit),
  );
};
const treeSymbol = shiftRight(get('symbol'), 1);

/** The bit at `shift` of `distance` is decoded, the lowest first. */
const decodeReverseBit = (table: number, place: Code, shift: Operand): Code =>
  decodeBit(table, place, lines(set('distance', add(get('distance'), shiftLeft(isOne, shift))), appendBit));

const isLiteralState = isBelow(get('state'), 7);
const setState = (afterLiteral: number, afterMatch: number): Code =>
  set('state', select(isLiteralState, afterLiteral, afterMatch));
const byState = entries(get('state'));
const byStateAndPosition = add(shiftLeft(get('state'), 5), entries(get('positionState')));

/** Whether `rep0` reaches into what the ring holds behind the place of the output. */
const isBehindOutput = isAtLeast(get('rep0'), subtract(get('output'), get('dictionary')));
/** Whether `rep0` is from before the first byte. */
const isBeforeStart = isAtLeast(get('rep0'), subtract(get('output'), get('oldest')));
const setFrom = lines(
  set('from', subtract(get('output'), add(get('rep0'), 1))),
  when(isBehindOutput, set('from', add(get('from'), get('dictionaryBytes')))),
);

const literal = lines(
  set(
    'tree',
    multiply(
      add(
        shiftLeft(and(get('output'), get('lpMask')), get('lc')),
        shiftRight(load8(subtract(get('output'), 1)), subtract(8, get('lc'))),
      ),
      literalContextSize * 2,
    ),
  ),
  when(
    isLiteralState,
    lines(
      decodeTree(kernelTables.literalsAt, 8),
      // Three less, but not below zero.
      set('state', subtract(get('state'), 3)),
      set('state', and(get('state'), xor(shiftRightSigned(get('state'), 31), -1))),
    ),
    lines(
      when(isBeforeStart, stopWith('distance')),
      setFrom,
      set('matchByte', shiftLeft(load8(get('from')), 1)),
      // `offset` is the size of a tree as long as the bits are those of the match, then zero.
      set('offset', 0x200),
      set('symbol', 2),
      repeat(
        8,
        lines(
          set('matchByte', shiftLeft(get('matchByte'), 1)),
          set('matchBit', and(get('matchByte'), get('offset'))),
          decodeBit(
            kernelTables.literalsAt,
            add(add(get('tree'), get('offset')), add(get('matchBit'), get('symbol'))),
            lines(
              set('offset', select(isOne, get('matchBit'), xor(get('offset'), get('matchBit')))),
              appendBit,
            ),
          ),
        ),
      ),
      set('state', subtract(get('state'), select(isBelow(get('state'), 10), 3, 6))),
    ),
  ),
  when(isAbove(get('input'), get('inputEnd')), stopWith('truncated')),
  store8(get('output'), treeSymbol),
  set('output', add(get('output'), 1)),
  branch('next'),
);

const setTreeByPosition = set('tree', add(get('lengthTable'), shiftLeft(get('positionState'), 4)));
/** Three bits, which stand for lengths from `lowest` on. */
const decodeLengthTree = (entry: number, lowest: number): Code =>
  lines(setTreeByPosition, decodeTree(entry * 2, 3), set('pendingLength', add(treeSymbol, lowest - 8)));
const length = decide(
  0,
  get('lengthTable'),
  decodeLengthTree(lengthLow, 2),
  decide(
    2,
    get('lengthTable'),
    decodeLengthTree(lengthMiddle, 10),
    lines(
      set('tree', get('lengthTable')),
      set('symbol', 2),
      loop(
        'high',
        lines(
          decodeBit(lengthHigh * 2, symbolPlace, appendBit),
          branchIf('high', isBelow(get('symbol'), 0x200)),
        ),
      ),
      set('pendingLength', add(treeSymbol, 18 - 256)),
    ),
  ),
);

const isDirectOne = isAtLeast(get('code'), get('range'));
const directBit = lines(
  normalise,
  set('range', shiftRight(get('range'), 1)),
  set('distance', add(shiftLeft(get('distance'), 1), isDirectOne)),
  set('code', select(isDirectOne, subtract(get('code'), get('range')), get('code'))),
);

const decodeDistance = lines(
  set('part', subtract(get('pendingLength'), 2)),
  set('tree', shiftLeft(select(isBelow(get('part'), 3), get('part'), 3), 7)),
  decodeTree(toAddress(slotAt), 6),
  set('distance', subtract(treeSymbol, 64)),
  when(
    isAtLeast(get('distance'), 4),
    lines(
      set('slot', get('distance')),
      set('bits', subtract(shiftRight(get('slot'), 1), 1)),
      set('distance', or(2, and(get('slot'), 1))),
      when(
        isBelow(get('slot'), 14),
        lines(
          set('distance', shiftLeft(get('distance'), get('bits'))),
          set('tree', entries(subtract(get('distance'), get('slot')))),
          set('symbol', 2),
          set('shift', 0),
          loop(
            'special',
            lines(
              decodeReverseBit(toAddress(specialPositionAt), add(get('tree'), get('symbol')), get('shift')),
              set('shift', add(get('shift'), 1)),
              branchIf('special', isBelow(get('shift'), get('bits'))),
            ),
          ),
        ),
        lines(
          set('bits', subtract(get('bits'), 4)),
          loop(
            'direct',
            lines(directBit, set('bits', subtract(get('bits'), 1)), branchIf('direct', get('bits'))),
          ),
          set('distance', shiftLeft(get('distance'), 4)),
          set('symbol', 2),
          ...[0, 1, 2, 3].map((shift) => decodeReverseBit(toAddress(alignAt), get('symbol'), shift)),
          when(
            isEqual(get('distance'), -1),
            when(
              isAtLeast(get('inputEnd'), get('input')),
              lines(set('pendingLength', 0), stopWith('endMarker')),
            ),
          ),
        ),
      ),
    ),
  ),
);

/** Puts a distance in front of the last ones; it was the one with this number, or, with 3, may be a new one. */
const bringForward = (value: Code, number: 1 | 2 | 3): Code =>
  lines(
    set('part', value),
    ...(number > 2 ? [set('rep3', get('rep2'))] : []),
    ...(number > 1 ? [set('rep2', get('rep1'))] : []),
    set('rep1', get('rep0')),
    set('rep0', get('part')),
  );

const match = block(
  'copy',
  lines(
    decide(
      toAddress(isRepAt),
      byState,
      lines(
        set('lengthTable', toAddress(matchLengthAt)),
        length,
        decodeDistance,
        bringForward(get('distance'), 3),
        setState(7, 10),
        branch('copy'),
      ),
      lines(
        decide(
          toAddress(isRepG0At),
          byState,
          decide(
            toAddress(isRep0LongAt),
            byStateAndPosition,
            lines(setState(9, 11), set('pendingLength', 1), branch('copy')),
            '',
          ),
          decide(
            toAddress(isRepG1At),
            byState,
            bringForward(get('rep1'), 1),
            decide(toAddress(isRepG2At), byState, bringForward(get('rep2'), 2), bringForward(get('rep3'), 3)),
          ),
        ),
        set('lengthTable', toAddress(repLengthAt)),
        length,
        setState(8, 11),
      ),
    ),
  ),
);

const copyByte = lines(
  store8(get('output'), load8(get('from'))),
  set('output', add(get('output'), 1)),
  set('from', add(get('from'), 1)),
);
const ringEnd = add(get('dictionary'), get('dictionaryBytes'));

/**
 * The smallest multiple of a distance below eight that is not itself below eight; a hexadecimal digit for each. As
 * many bytes before, a short match has the same bytes.
 */
const multiples = 0xeca8_9880;
const multipleOfDistance = and(shiftRight(multiples | 0, shiftLeft(add(get('rep0'), 1), 2)), 15);

/** Copies as much of the match as there is room for. */
const copyMatch = lines(
  when(
    or(isAtLeast(get('rep0'), get('maximumDistance')), isBeforeStart),
    lines(set('pendingLength', 0), stopWith('distance')),
  ),
  set('part', subtract(get('limit'), get('output'))),
  set('part', select(isBelow(get('pendingLength'), get('part')), get('pendingLength'), get('part'))),
  set('pendingLength', subtract(get('pendingLength'), get('part'))),
  set('end', add(get('output'), get('part'))),
  setFrom,
  block(
    'copied',
    lines(
      when(
        isAbove(add(get('from'), get('part')), ringEnd),
        loop(
          'around',
          lines(
            copyByte,
            when(isEqual(get('from'), ringEnd), set('from', get('dictionary'))),
            branchIf('around', isBelow(get('output'), get('end'))),
            branch('copied'),
          ),
        ),
      ),
      when(
        isBelow(get('rep0'), 7),
        lines(
          set('bits', multipleOfDistance),
          // So far back only what was there before is needed.
          set('part', add(get('output'), subtract(subtract(get('bits'), 1), get('rep0')))),
          set('part', select(isBelow(get('part'), get('end')), get('part'), get('end'))),
          loop('near', lines(copyByte, branchIf('near', isBelow(get('output'), get('part'))))),
          set('from', subtract(get('output'), get('bits'))),
        ),
      ),
      when(
        isBelow(get('output'), get('end')),
        loop(
          'words',
          lines(
            `(i64.store ${get('output')} (i64.load ${get('from')}))`,
            set('output', add(get('output'), 8)),
            set('from', add(get('from'), 8)),
            branchIf('words', isBelow(get('output'), get('end'))),
          ),
        ),
      ),
      set('output', get('end')),
    ),
  ),
  branchIf('done', get('pendingLength')),
);

const atState = (name: keyof typeof kernelState): string => `offset=${kernelState[name] * 4} (i32.const 0)`;

/** The kernel as WebAssembly text. */
export const lzmaKernelSource: string = `(module
(import "host" "memory" (memory 1))
(func (export "decode") ${parameters.map((name) => `(param $${name} i32)`).join(' ')} (result i32)
${[...kept, ...given, ...locals].map((name) => `(local $${name} i32)`).join(' ')}
${lines(...[...kept, ...given].map((name) => set(name, `(i32.load ${atState(name)})`)))}
${block(
  'done',
  loop(
    'next',
    lines(
      when(get('pendingLength'), copyMatch),
      branchIf('done', isAtLeast(get('output'), get('limit'))),
      when(isAbove(get('input'), get('safeEnd')), stopWith('input')),
      set('positionState', and(get('output'), get('pbMask'))),
      decide(toAddress(isMatchAt), byStateAndPosition, literal, match),
      when(isAbove(get('input'), get('inputEnd')), lines(set('pendingLength', 0), stopWith('truncated'))),
      branch('next'),
    ),
  ),
)}
${lines(...[...kept, 'input' as const, 'output' as const].map((name) => `(i32.store ${atState(name)} ${get(name)})`))}
${get('stop')}))
`;
