import { TelltaleError } from '../bytes/errors.ts';
import type { DatabaseDemands, DatabaseReference } from '../platform/database-references.ts';
import { readSmallFile } from '../platform/files.ts';
import { parseTrust, type Trust, tryKeyLine } from '../platform/signing-keys.ts';
import type { SharedOptions } from './arguments.ts';

/** In bytes; a key takes about a hundred. */
const trustFileBytes = 64 * 1024;

/**
 * The databases that a person gave, with what is demanded of them.
 *
 * @throws TelltaleError `usage/arguments` when a trust file cannot be used, or there is nothing to demand it of
 */
export function toDemanding(
  options: Pick<SharedOptions, 'database' | 'trust' | 'minRevision'>,
): readonly DatabaseReference[] {
  const paths = options.database ?? [];
  const demands = toDemands(options);
  if (demands === undefined) return paths;
  if (paths.length === 0) {
    throw new TelltaleError(
      'usage/arguments',
      '--trust and --min-revision are about databases that --database gives, and none is given; the one that ships is part of the program',
    );
  }
  return paths.map((path) => ({ path, demands }));
}

/** What --trust and --min-revision demand; undefined when neither is given. */
export function toDemands({
  trust = [],
  minRevision = [],
}: Pick<SharedOptions, 'trust' | 'minRevision'>): DatabaseDemands | undefined {
  if (trust.length === 0 && minRevision.length === 0) return undefined;
  const files = trust.map(readTrust);
  return {
    ...(trust.length === 0 ? {} : { trusted: files.flatMap(({ keys }) => keys) }),
    minimum: [...minRevision, ...files.flatMap(({ minimum }) => minimum)],
  };
}

/** A key in its one-line form, or a file. */
function readTrust(given: string): Trust {
  const key = tryKeyLine(given);
  if (key !== undefined) return { keys: [key], minimum: [] };
  if (given.startsWith('ed25519:')) {
    throw new TelltaleError('usage/arguments', `--trust ${given}: is no key: 32 bytes in base64 are needed`);
  }
  return readKeyFile(given, trustFileBytes, parseTrust);
}

/**
 * What a small text file of keys holds.
 *
 * @throws TelltaleError `usage/arguments` with the path
 */
export function readKeyFile<Content>(
  path: string,
  bytesMax: number,
  parse: (text: string) => Content,
): Content {
  try {
    return parse(new TextDecoder().decode(readSmallFile(path, bytesMax)));
  } catch (error) {
    if (error instanceof TelltaleError)
      throw new TelltaleError('usage/arguments', `${path}: ${error.message}`);
    throw error;
  }
}
