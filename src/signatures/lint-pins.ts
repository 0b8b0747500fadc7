import type { DataFile } from './data-file.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Statements } from './load.ts';
import type { Publisher } from './schema.ts';

/** One certificate, team or key that a publisher is known by. */
interface Pin {
  readonly file: DataFile;
  /** Id of the publisher. */
  readonly publisher: string;
  /** Name of the list that it stands in: one certificate may well be a leaf and something else beside. */
  readonly list: string;
  /** Where it stands in the file. */
  readonly path: readonly PropertyKey[];
  /** What it is known by, field by field: two fingerprints of one certificate. */
  readonly names: readonly (readonly [field: string, value: string])[];
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** Periods that cannot be, and certificates, teams and keys that are pinned twice. */
export function checkPins(products: readonly Statements[]): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const byName = new Map<string, Pin>();
  for (const pin of products.flatMap(listPins)) {
    diagnostics.push(...checkPeriod(pin));
    for (const [field, value] of pin.names) {
      const key = `${pin.list} ${field} ${value}`;
      const earlier = byName.get(key);
      if (earlier === undefined) {
        byName.set(key, pin);
        continue;
      }
      const found = tryRepetition(pin, earlier, field, value);
      if (found !== undefined) diagnostics.push(found);
      // The second name of the same certificate would only repeat the complaint.
      break;
    }
  }
  return diagnostics;
}

function listPins({ publishers }: Statements): readonly Pin[] {
  return publishers.flatMap(({ file, value }) =>
    value.flatMap((publisher, index) =>
      listNamed(publisher).map(({ path, names, from, to }) => ({
        file,
        publisher: publisher.id,
        list: String(path.at(-2)),
        path: ['publishers', index, ...path],
        names: Object.entries(names).flatMap(([field, name]) =>
          name === undefined ? [] : [[field, name] as const],
        ),
        from,
        to,
      })),
    ),
  );
}

interface NamedPin {
  readonly path: readonly PropertyKey[];
  readonly names: Readonly<Record<string, string | undefined>>;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

function listNamed(publisher: Publisher): readonly NamedPin[] {
  const {
    authenticode,
    appleTeams = [],
    appxPublishers = [],
    androidCertificates = [],
    aptKeys = [],
  } = publisher;
  return [
    ...(['leaves', 'intermediates'] as const).flatMap((list) =>
      authenticode[list].map(({ sha1, sha256, from, to }, index) => ({
        path: ['authenticode', list, index],
        names: { sha1, sha256 },
        from,
        to,
      })),
    ),
    ...appleTeams.map(({ team, from, to }, index) => ({
      path: ['appleTeams', index],
      names: { team },
      from,
      to,
    })),
    ...appxPublishers.map((one, index) => ({
      path: ['appxPublishers', index],
      names: { publisher: one.publisher },
    })),
    ...androidCertificates.map(({ sha256, from, to }, index) => ({
      path: ['androidCertificates', index],
      names: { sha256 },
      from,
      to,
    })),
    ...aptKeys.map(({ keyId }, index) => ({ path: ['aptKeys', index], names: { keyId } })),
  ];
}

function checkPeriod({ file, path, from, to }: Pin): readonly Diagnostic[] {
  const impossible = Object.entries({ from, to }).flatMap(([field, date]) =>
    date === undefined || isDate(date)
      ? []
      : [file.toDiagnostic('pin/impossible-date', [...path, field], `there is no ${date} in the calendar`)],
  );
  if (impossible.length > 0) return impossible;
  // Dates in this form sort as texts.
  return from !== undefined && to !== undefined && from > to
    ? [file.toDiagnostic('pin/period-reversed', [...path, 'to'], `${to} is before ${from}`)]
    : [];
}

/** Whether a `YYYY-MM-DD` is in the calendar: 2021-02-30 has the form, and is not. */
function isDate(text: string): boolean {
  const milliseconds = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString().startsWith(text);
}

function tryRepetition(pin: Pin, earlier: Pin, field: string, value: string): Diagnostic | undefined {
  const extras = {
    related: { ...earlier.file.toPlace([...earlier.path, field]), message: 'the first is here' },
  };
  if (pin.publisher !== earlier.publisher) {
    const message = `"${value}" is pinned for the publisher "${earlier.publisher}" too`;
    return pin.file.toDiagnostic('pin/two-publishers', [...pin.path, field], message, extras);
  }
  // Another folder may well repeat what is known; in one list it is a slip.
  if (pin.file !== earlier.file) return undefined;
  return pin.file.toDiagnostic('pin/repeated', [...pin.path, field], `"${value}" is pinned before`, extras);
}
