import type { Agreement } from '../agreement/agreement.ts';
import { type OwnReport, readOwnReport } from '../agreement/telltale-finds.ts';
import { countFiles, measureBytes } from '../inputs/recipe.ts';
import { type Command, measureAlternately, runMeasured } from '../measure/measured-run.ts';
import type { Comparison, Target } from '../report/results.ts';
import { compareWithChain, showChain, toChain, type Unpacking } from './chain.ts';
import { compareWithClamscan, toClamscan } from './clamscan.ts';
import { type ExportedRules, type PartContext, toReportingScan, toScan } from './part.ts';

interface Peer {
  readonly command: Command;
  /** For the documentation. */
  readonly shown: string;
  readonly rounds: number;
  compare(own: OwnReport): Agreement;
}

/**
 * Measures a scan against its peers, when they find the same. A peer that finds something else gets no figures: what
 * differs is told in their place.
 */
export function measureScan(
  context: PartContext,
  what: { readonly id: string; readonly part: string; readonly title: string; readonly input: string },
  rules: ExportedRules,
  peers: readonly Peer[],
  targets: readonly Target[],
): Comparison {
  const { work, rounds, tell } = context;
  const own = readOwnReport(
    runMeasured(toReportingScan(context, rules.options, [what.input]), work).stdoutPath,
  );
  const agreements = peers.map((peer) => peer.compare(own));
  const agreed = peers.filter((_, index) => agreements[index]?.kind === 'agreed');
  const scan = toScan(context, rules.options, [what.input]);
  const measured = measureAlternately(
    [scan, ...agreed.map(({ command }) => command)],
    (index) => (index === 0 ? rounds : (agreed[index - 1]?.rounds ?? rounds)),
    work,
  );
  tell(`bench: ${what.id} measured`);
  const { id, part, title } = what;
  return {
    id,
    part,
    title,
    bytes: measureBytes(what.input),
    files: countFiles(what.input),
    subjects: [
      { name: scan.name, command: showCommand(context, scan), rounds: [...(measured[0] ?? [])] },
      ...peers.map((peer, index) => {
        const place = agreed.indexOf(peer);
        return {
          name: peer.command.name,
          command: peer.shown,
          rounds: place < 0 ? [] : [...(measured[place + 1] ?? [])],
          ...withAgreement(agreements[index]),
        };
      }),
    ],
    targets: [...targets],
    notes: own.limits.map((limit) => `telltale hit a limit: ${limit}`),
  };
}

export function withAgreement(
  agreement: Agreement | undefined,
): Pick<Comparison['subjects'][number], 'agreement'> {
  if (agreement === undefined) return {};
  return agreement.kind === 'agreed'
    ? { agreement: { ...agreement, deeper: [...agreement.deeper] } }
    : { agreement: { ...agreement, differences: [...agreement.differences] } };
}

/** The command without the folders of this machine. */
export function showCommand({ telltale }: PartContext, { argv }: Command): string {
  return argv
    .slice(telltale.length)
    .map((part) => (part.startsWith('/') ? part.split('/').slice(-2).join('/') : part))
    .reduce((line, part) => `${line} ${part}`, 'telltale');
}

export function toChainPeer(
  unpacking: Unpacking,
  input: string,
  rules: ExportedRules,
  context: PartContext,
): Peer {
  const command = toChain(unpacking, input, rules, context.work);
  return {
    command,
    shown: showChain(unpacking),
    rounds: context.rounds,
    compare: (own) => compareWithChain(command, own, rules, context.work),
  };
}

/** clamscan takes many times as long, and is measured in fewer rounds. */
export function toClamscanPeer(input: string, rules: ExportedRules, context: PartContext): Peer {
  const command = toClamscan(input, rules);
  return {
    command,
    shown: 'clamscan --allmatch, without limits',
    rounds: Math.ceil(context.rounds / 2),
    compare: (own) => compareWithClamscan(command, own, rules, context.work),
  };
}
