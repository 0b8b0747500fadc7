import type { ByteSource } from '../bytes/byte-source.ts';
import type { Region } from '../formats/model.ts';
import { toPlace } from '../scan/place.ts';
import {
  type FoundString,
  stringEncodings,
  type StringChanges,
  type StringList,
  stringsListed,
} from './model.ts';
import { type ByteSpan, scanStrings } from './printable-runs.ts';

/** So many different strings of one member, and so many characters of them, are compared. */
const stringsCompared = 500_000;
const charactersCompared = 64 << 20;
/** A longer string is shown by its start. */
const charactersShown = 400;

/** One side of a comparison of strings. */
export interface StringSide {
  readonly source: ByteSource;
  /** Ranges whose strings are told elsewhere: members, certificates. */
  readonly without: readonly ByteSpan[];
  readonly regions: readonly Region[];
}

/**
 * Strings that only one side has. A string is its text: where it lies and how it is encoded is no difference.
 *
 * @throws TelltaleError `limit/time`, through `checkTime`; what the sources throw
 */
export function compareStrings(
  before: StringSide | undefined,
  after: StringSide | undefined,
  checkTime: () => void,
): StringChanges {
  const left = collect(before, checkTime);
  const right = collect(after, checkTime);
  return {
    came: toList(right.strings, left.strings, after?.regions ?? []),
    went: toList(left.strings, right.strings, before?.regions ?? []),
    cutShort: left.cutShort || right.cutShort,
  };
}

interface Collected {
  /** Text, and its first offset and encoding in one number. */
  readonly strings: ReadonlyMap<string, number>;
  readonly cutShort: boolean;
}

function collect(side: StringSide | undefined, checkTime: () => void): Collected {
  const strings = new Map<string, number>();
  let characters = 0;
  let cutShort = false;
  if (side === undefined) return { strings, cutShort };
  scanStrings(
    side.source,
    side.without,
    (text, encoding, offset) => {
      const place = offset * stringEncodings.length + stringEncodings.indexOf(encoding);
      const known = strings.get(text);
      if (known !== undefined) {
        if (place < known) strings.set(text, place);
        return;
      }
      if (cutShort || strings.size >= stringsCompared || characters >= charactersCompared) {
        cutShort = true;
        return;
      }
      strings.set(text, place);
      characters += text.length;
    },
    () => {
      checkTime();
      return !cutShort;
    },
  );
  return { strings, cutShort };
}

function toList(
  own: ReadonlyMap<string, number>,
  others: ReadonlyMap<string, number>,
  regions: readonly Region[],
): StringList {
  const found: {
    readonly text: string;
    readonly kind: FoundString['kind'];
    readonly order: number;
    readonly at: number;
  }[] = [];
  for (const [text, at] of own) {
    if (others.has(text)) continue;
    const kind = toStringKind(text);
    found.push({ text, kind, order: rank[kind] + (kind === 'text' && !isReadable(text) ? 1 : 0), at });
  }
  found.sort((a, b) => a.order - b.order || (a.text < b.text ? -1 : 1));
  return {
    total: found.length,
    listed: found.slice(0, stringsListed).map(({ text, kind, at }) => {
      const offset = Math.floor(at / stringEncodings.length);
      const place = toPlace(regions, offset);
      return {
        text: text.length > charactersShown ? `${text.slice(0, charactersShown)}…` : text,
        kind,
        encoding: stringEncodings[at % stringEncodings.length] ?? 'ascii',
        offset,
        ...(place === undefined ? {} : { place }),
      };
    }),
  };
}

const rank = { url: 0, host: 1, text: 2 } as const;

/** Whether people wrote it: most of it letters, digits and spaces, with a word in it. */
function isReadable(text: string): boolean {
  if (!/\p{L}{4}/u.test(text)) return false;
  const plain = text.match(/[\p{L}\p{M}\p{N} ]/gu)?.length ?? 0;
  return text.length >= 8 && plain >= text.length * 0.8;
}

const address = /[a-z][a-z\d+.-]{1,15}:\/\/[^\s/]/i;
const host =
  /(?:^|[^a-z\d.-])(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)*[a-z\d][a-z\d-]{1,61}[a-z\d]\.([a-z]{2,4})(?=$|[^a-z\d.-])/;
const topDomains = new Set(
  (
    'com net org info biz gov edu mil mobi asia ' +
    // ISO 3166 codes, without those that are file name extensions as well
    'ae am ar at au az ba bd be bg br by ca ch ci cl cn co cr cu cy cz de dk do dz ec ee eg es eu fi fr ge gr gt hk hn ' +
    'hr hu id ie il in io iq ir is it jo jp ke kg kr kw kz lb li lk lt lu lv ly ma me mk mn mo mx my ng ni nl no np nz ' +
    'om pa ph pk pl pr pt pw qa ro ru sa se sg si sk su sv sy th tj tk tm tn to tr tt tv tw ua ug uk us uy uz ve vn ye za'
  ).split(' '),
);

/** Whether a string holds an address, or the name of a host. A guess for sorting, no finding. */
export function toStringKind(text: string): FoundString['kind'] {
  if (address.test(text)) return 'url';
  const domain = host.exec(text)?.[1];
  return domain !== undefined && topDomains.has(domain) ? 'host' : 'text';
}
