import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import type { FoundPair } from './agreement.ts';

const nodeSchema = z.object({
  path: z.string(),
  sha256: z.string().nullable().optional(),
  get members() {
    return z.array(nodeSchema).optional();
  },
});
type Node = z.infer<typeof nodeSchema>;

const reportSchema = z.object({
  files: z.array(
    z.object({
      path: z.string(),
      sha256: z.string().nullable().optional(),
      problems: z.array(z.object({ code: z.string(), path: z.string(), message: z.string() })),
      telltales: z.array(
        z.object({ id: z.string(), evidence: z.array(z.object({ kind: z.string(), path: z.string() })) }),
      ),
      tree: nodeSchema.nullable().optional(),
    }),
  ),
});

/** A find of telltale, with the digests of the artifact and of what it lies in, from the outermost. */
export interface OwnFind {
  readonly indicator: string;
  readonly path: string;
  readonly digests: readonly string[];
}

export interface OwnReport {
  readonly finds: readonly OwnFind[];
  /** Limits that were hit, by code and message. */
  readonly limits: readonly string[];
}

/** Reads what telltale found from its JSON report. */
export function readOwnReport(path: string): OwnReport {
  const report = reportSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const finds: OwnFind[] = [];
  const limits = new Set<string>();
  for (const file of report.files) {
    const chains = new Map<string, readonly string[]>();
    const walk = (node: Node, above: readonly string[]): void => {
      const chain = node.sha256 == null ? above : [...above, node.sha256];
      chains.set(node.path, chain);
      for (const member of node.members ?? []) walk(member, chain);
    };
    if (file.tree != null) walk(file.tree, []);
    for (const { id, evidence } of file.telltales) {
      for (const { path: at } of evidence)
        finds.push({ indicator: id, path: at, digests: chains.get(at) ?? [] });
    }
    for (const { code, message } of file.problems) {
      if (code.startsWith('limit/')) limits.add(`${code}: ${message}`);
    }
  }
  return { finds, limits: [...limits].sort() };
}

/**
 * Brings telltale's finds to the files that a peer looked at. A find belongs to the innermost file around it that the
 * peer had. When the find lies in a part of that file, the peer may be unable to see it, because it is packed there.
 *
 * @param has - whether the peer looked at a file of this digest
 * @param found - whether the peer found this
 */
export function toPeerPairs(
  finds: readonly OwnFind[],
  has: (digest: string) => boolean,
  found: (pair: FoundPair) => boolean,
): { readonly pairs: readonly FoundPair[]; readonly deeper: readonly string[] } {
  const pairs: FoundPair[] = [];
  const deeper: string[] = [];
  for (const { indicator, path, digests } of finds) {
    const digest = digests.findLast(has);
    const pair = digest === undefined ? undefined : { digest, indicator };
    const isInPart = digest === undefined || digest !== digests.at(-1);
    if (pair !== undefined && (!isInPart || found(pair))) pairs.push(pair);
    else deeper.push(`${indicator} in ${hideFolders(path)}`);
  }
  return { pairs, deeper };
}

/** A nested path without the folders in front: figures are read on other machines. */
function hideFolders(path: string): string {
  const [file = '', ...inside] = path.split(' » ');
  return [basename(file), ...inside].join(' » ');
}
