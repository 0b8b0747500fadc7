import { Command, Option } from 'commander';
import {
  collect,
  collectRevision,
  parseBytes,
  parseCount,
  parseFailOn,
  parseRequire,
  parseSeconds,
  parseShare,
  parseSince,
  parseWhole,
  type SharedOptions,
} from './arguments.ts';
import { type Given, takeCache } from './cache-folder.ts';
import type { DatabaseOptions } from './commands/db.ts';
import type { DatabaseCheckOptions } from './commands/db-check.ts';
import type { ExportOptions } from './commands/db-export.ts';
import type { KeygenOptions, PackOptions, VerifyOptions } from './commands/db-pack.ts';
import type { DiffOptions } from './commands/diff.ts';
import type { ExplainOptions } from './commands/explain.ts';
import type { ExtractOptions } from './commands/extract.ts';
import type { FingerprintOptions } from './commands/fingerprint.ts';
import type { InspectOptions } from './commands/inspect.ts';
import type { LearnOptions } from './commands/learn.ts';
import type { LockOptions } from './commands/lock.ts';
import type { LookupOptions } from './commands/lookup.ts';
import type { ScanOptions } from './commands/scan.ts';
import { type ExitName, exitCodes } from './exit-codes.ts';
import { readVersion } from '../platform/shipped.ts';
import { reportFormats } from '../report/reporters.ts';
import { createTerminal } from './terminal.ts';

/**
 * The command line. Commands are imported when they run, so that `--version` costs nothing.
 *
 * @param finish - is told how the command ended
 */
export function createProgram(finish: (name: ExitName) => void): Command {
  const program = new Command('telltale')
    .description('Which build is this, really, and how do you know?')
    .version(readVersion())
    .showHelpAfterError('(telltale --help shows how)')
    .addHelpText('after', `\nExit codes:\n${toExitTable()}`);

  withLimits(withDatabase(program.command('scan')))
    .description('judge files, and everything inside them')
    .argument('[path...]', 'files and folders; - reads a list of paths from standard input')
    .addOption(
      new Option('--format <format>', 'how the report is written').choices(reportFormats).default('text'),
    )
    .addOption(
      new Option(
        '--lang <language>',
        'English or simplified Chinese, for people: text, markdown and html; the other formats are always English',
      )
        .choices(['en', 'zh'])
        .default('en'),
    )
    .option(
      '--output <file>',
      'write the report there; FORMAT=FILE writes one more beside it (repeatable)',
      collect,
    )
    .option(
      '--rules <file>',
      'YARA rules of your own, run over everything inside (repeatable; needs the package @litko/yara-x)',
      collect,
    )
    .option(
      '--fail-on <list>',
      'verdicts that give exit code 1 (default: impostor,modified,variant), or none; also incomplete, and rule',
      parseFailOn,
    )
    .option(
      '--require <list>',
      'what each file must be: verdicts, complete, known-build, product=ID, variant=ID, platform=ID, publisher=ID, version>=NUMBER',
      parseRequire,
    )
    .option('--policy <file>', 'the policy (default: telltale.json in this folder or above it)')
    .option('--no-policy', 'look for no policy file')
    .option('--locked', 'fail on files that are not as the lock has them; without paths, those of the lock')
    .option('--lock-file <file>', 'the lock (default: telltale.lock.json in this folder or above it)')
    .option(
      '--jobs <number>',
      'files at once (default: one a processor); 0 scans without worker threads',
      parseCount,
    )
    .option('--resume <file>', 'keep what is done there, and go on from it when the scan was cut off')
    .option('--cache <file>', 'keep results there; files with the same bytes are not unpacked again')
    .option('--no-cache', noCacheHelp)
    .option(
      '--cache-quick',
      'take files of the same size, times and inode for unchanged, without reading them',
    )
    .option(
      '--since <when>',
      'only files that changed or arrived since: a date, or a file of that age',
      parseSince,
    )
    .option('-v, --verbose', 'everything: all telltales, full digests, all sources')
    .option('-q, --quiet', 'only files that are not in order; no progress')
    .action(async (paths: readonly string[], options: Given<ScanOptions>) => {
      const { runScan } = await import('./commands/scan.ts');
      finish(await runScan(paths, takeCache(options), createTerminal(options.quiet ?? false)));
    });

  withLimits(withDatabase(program.command('lock')))
    .description('write down digests and verdicts of files, to fail later on anything else')
    .argument('<path...>', 'files and folders; - reads a list of paths from standard input')
    .option('-o, --output <file>', 'where to write the lock', 'telltale.lock.json')
    .option(
      '--jobs <number>',
      'files at once (default: one a processor); 0 scans without worker threads',
      parseCount,
    )
    .option('--no-cache', noCacheHelp)
    .option('-q, --quiet', 'no progress')
    .action(async (paths: readonly string[], options: Given<LockOptions>) => {
      const { runLock } = await import('./commands/lock.ts');
      finish(await runLock(paths, takeCache(options), createTerminal(options.quiet ?? false)));
    });

  withLimits(withDatabase(program.command('inspect')))
    .description('show what is inside a file, without judging it')
    .argument('<file>')
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .option('-v, --verbose', 'all facts and regions')
    .action(async (path: string, options: InspectOptions) => {
      const { runInspect } = await import('./commands/inspect.ts');
      finish(await runInspect(path, options, createTerminal(false)));
    });

  withLimits(withDatabase(program.command('extract')))
    .description('write one member of a file, safely')
    .argument('<file>')
    .argument('<member>', 'its nested path, as inspect and scan show it')
    .option(
      '-o, --output <file>',
      'where to write it; - is standard output (default: its own name, in this folder)',
    )
    .option('-f, --force', 'write over a file that is there')
    .option('--number <number>', 'which one, where several members have that path', parseWhole)
    .action(async (path: string, member: string, options: ExtractOptions) => {
      const { runExtract } = await import('./commands/extract.ts');
      finish(await runExtract(path, member, options, createTerminal(false)));
    });

  withLimits(withDatabase(program.command('diff')))
    .description('show what changed between two builds, member by member')
    .argument('<before>', 'file, folder or .app bundle')
    .argument('<after>', 'what it is compared with')
    .addOption(
      new Option('--format <format>', 'how the report is written')
        .choices(['text', 'json', 'html'])
        .default('text'),
    )
    .option('--output <file>', 'write the report there')
    .option('-v, --verbose', 'everything: members that are the same, whole lists, all sources')
    .action(async (before: string, after: string, options: DiffOptions) => {
      const { runDiff } = await import('./commands/diff.ts');
      finish(await runDiff(before, after, options, createTerminal(false)));
    });

  withDatabase(program.command('lookup'))
    .description('look digests up in the ledger of known builds')
    .argument(
      '<digest...>',
      'md5, sha1, sha256 or sha512; - reads the first word of each line of standard input',
    )
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .action(async (digests: readonly string[], options: LookupOptions) => {
      const { runLookup } = await import('./commands/lookup.ts');
      finish(runLookup(digests, options, createTerminal(false)));
    });

  withDatabase(program.command('explain'))
    .description('what is known of a variant, an indicator or a source, and who says so')
    .argument(
      '[id]',
      'id of a variant, an indicator, a claim, a scope or a source, as a report names it; product/id asks one product only; without an id: the list of variants',
    )
    .addOption(
      new Option('--format <format>', 'how it is written')
        .choices(['text', 'json', 'markdown'])
        .default('text'),
    )
    .addOption(
      new Option('--lang <language>', 'English or simplified Chinese').choices(['en', 'zh']).default('en'),
    )
    .option('-v, --verbose', 'also what the fixtures of an indicator contain')
    .action(async (id: string | undefined, options: ExplainOptions) => {
      const { runExplain } = await import('./commands/explain.ts');
      finish(runExplain(id, options, createTerminal(false)));
    });

  const database = program.command('db').description('look after a signature database');
  withLimits(withDatabase(database.command('check')))
    .description('whether it can be loaded, and whether its indicators do what their tests say')
    .option(
      '--goodware <path>',
      'also count how common its patterns are in software that has nothing to do with its products, and fail if an indicator above suggestive fires there (repeatable)',
      collect,
    )
    .option('--jobs <number>', 'files at once, with --goodware (default: one a processor)', parseCount)
    .option('-v, --verbose', 'with --goodware: all patterns, places and unread members')
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .option('--deny-warnings', 'let warnings fail the check, as errors do')
    .option('--explain [code]', 'say what a code means, or list all codes, and check nothing')
    .addHelpText(
      'after',
      `
Exit codes: 0 no errors; 2 errors (with --deny-warnings also warnings).
With --goodware also: 3 files of it could not be read; 4 it holds no files.`,
    )
    .action(async (options: DatabaseCheckOptions) => {
      const { runDatabaseCheck } = await import('./commands/db-check.ts');
      finish(await runDatabaseCheck(options, createTerminal(false)));
    });
  withDatabase(database.command('stats'))
    .description('what it holds')
    .addOption(new Option('--format <format>').choices(['text', 'json']).default('text'))
    .action(async (options: DatabaseOptions) => {
      const { runDatabaseStatistics } = await import('./commands/db.ts');
      finish(runDatabaseStatistics(options, createTerminal(false)));
    });
  withLimits(withDatabase(database.command('learn')))
    .description('propose indicators from samples of an edition, and write them as a draft')
    .argument('<sample...>', 'files of the edition; of a folder each file in it is a sample')
    .requiredOption(
      '--variant <id>',
      'the edition that the samples belong to; a new one, or one of the database',
    )
    .option('--against <path...>', 'files of other editions: what they have is not proposed')
    .option('--goodware <path>', 'files that have nothing to do with it: likewise (repeatable)', collect)
    .option('--product <id>', 'where the database holds several')
    .option('--role <role>', 'what a new edition is: regional, operator, impostor, …', 'unconfirmed')
    .option('--min-share <share>', 'share of the samples that must have it, up to 1', parseShare, 1)
    .option('--max <number>', 'the most proposals', parseWhole, 50)
    .option('--real', 'the samples are real files of the edition (testedOnRealFile)')
    .option(
      '-o, --output <file>',
      'write the draft there, as variants/ID.json; - is standard output, and the report goes to standard error',
    )
    .option('-f, --force', 'write over a file that is there')
    .addOption(
      new Option('--format <format>', 'how the report is written').choices(['text', 'json']).default('text'),
    )
    .option('-v, --verbose', 'all places, and all that comes with a proposal')
    .addHelpText('after', learnHelp)
    .action(async (paths: readonly string[], options: LearnOptions) => {
      const { runDatabaseLearn } = await import('./commands/learn.ts');
      finish(await runDatabaseLearn(paths, options, createTerminal(false)));
    });
  withLimits(withDatabase(database.command('fingerprint')))
    .description('lines for similar/<platform>.tsv, by which files that are alike are recognised')
    .argument('<file...>', 'known files; each gives a line, and each unpacked image in it')
    .option(
      '--source <source>',
      'who says what the file is: owner/name@commit:path, an address, or a source id (repeatable)',
      collect,
    )
    .option('--header', 'begin with the line that names the columns')
    .action(async (paths: readonly string[], options: FingerprintOptions) => {
      const { runFingerprint } = await import('./commands/fingerprint.ts');
      finish(await runFingerprint(paths, options, createTerminal(false)));
    });

  addPackCommands(database, finish);
  withDatabase(database.command('export'))
    .description('write its indicators for another tool')
    .addOption(
      new Option('--to <tool>', 'whose language; csv is a table for people')
        .choices(['yara', 'clamav', 'stix', 'csv'])
        .makeOptionMandatory(),
    )
    .option('-o, --output <path>', 'the file to write; a folder for clamav (default: standard output)')
    .option('--any-format', 'leave out the tests of the file format, for memory, disk images and loose parts')
    .action(async (options: ExportOptions) => {
      const { runDatabaseExport } = await import('./commands/db-export.ts');
      finish(runDatabaseExport(options, createTerminal(false)));
    });

  return program;
}

const noCacheHelp =
  'check and compile the databases anew, and keep nothing: neither results nor, in the cache folder, a compiled database';

const learnHelp = `
The list after --against ends at the next option. The draft has no sources: telltale db check
refuses it until a person has filled them in.

  telltale db learn --variant my-edition samples/ --against official/ -o my-edition.json
`;

/** Signed databases in one file: docs/packs.md. */
function addPackCommands(database: Command, finish: (name: ExitName) => void): void {
  const passphrase = ['--passphrase-file <file>', 'holds the passphrase of the private key'] as const;

  database
    .command('keygen')
    .description('make a key pair to sign packs with')
    .requiredOption('--output <name>', 'writes NAME.key, which is secret, and NAME.pub; never over a file')
    .option(...passphrase)
    .addOption(createFormatOption())
    .addHelpText('after', passphraseHelp)
    .action(async (options: KeygenOptions) => {
      const { runKeygen } = await import('./commands/db-pack.ts');
      finish(runKeygen(options, createTerminal(false)));
    });

  database
    .command('pack')
    .description('check a database, write it as one file, and sign that')
    .argument('<folder...>', 'database folders; each product in one of them')
    .requiredOption('--output <pack>', 'the file to write, e.g. signatures.telltale')
    .option('--key <file>', 'private key to sign with')
    .option(...passphrase)
    .option('--unsigned', 'write a pack without a signature, which --trust will refuse')
    .option(
      '--revision <product=revision>',
      'revision of a product that has no product.json in the folders (repeatable)',
      collectRevision,
    )
    .option(
      '--base <path>',
      'databases that the folders add to, for checking (repeatable; default: the one that ships, where the folders are no whole)',
      collect,
    )
    .option('-f, --force', 'write over a pack that is there')
    .addOption(createFormatOption())
    .addHelpText('after', passphraseHelp)
    .action(async (folders: readonly string[], options: PackOptions) => {
      const { runPack } = await import('./commands/db-pack.ts');
      finish(runPack(folders, options, createTerminal(false)));
    });

  withTrust(database.command('verify'))
    .description('check a pack: what it holds, and who signed it')
    .argument('<pack>')
    .addOption(createFormatOption())
    .addHelpText('after', '\nWithout --trust the signer is not checked, and the exit code is 3.')
    .action(async (path: string, options: VerifyOptions) => {
      const { runVerify } = await import('./commands/db-pack.ts');
      finish(runVerify(path, options, createTerminal(false)));
    });
}

function createFormatOption(): Option {
  return new Option('--format <format>', 'how the answer is written')
    .choices(['text', 'json'])
    .default('text');
}

const passphraseHelp =
  '\nA passphrase comes from that file (its first line), or from TELLTALE_PASSPHRASE; nothing is ever asked.';

function withTrust(command: Command): Command {
  return command
    .option(
      '--trust <key>',
      'use only packs signed with this public key: a file, or ed25519:… (repeatable)',
      collect,
    )
    .option(
      '--min-revision <product=revision>',
      'refuse databases of the product that are older, e.g. than 2026.11 (repeatable)',
      collectRevision,
    );
}

function withDatabase(command: Command): Command {
  return withTrust(command)
    .option(
      '--database <path>',
      'a database of your own, a folder or a pack, added to the one that ships (repeatable)',
      collect,
    )
    .option('--only-database', 'leave out the database that ships')
    .option('--no-known-builds', 'judge without the ledger of known builds');
}

/** Each option is a field of {@link SharedOptions}. */
function withLimits(command: Command): Command {
  return command
    .option('--max-bytes <size>', 'unpacked bytes for one file, e.g. 4G', parseBytes)
    .option('--max-ratio <times>', 'unpacked bytes over the size of the file', parseWhole)
    .option('--max-members <number>', 'members in one file, at all depths', parseWhole)
    .option('--max-depth <number>', 'containers inside containers', parseWhole)
    .option('--max-memory <size>', 'the largest unpacked member that is kept in memory', parseBytes)
    .option('--timeout <seconds>', 'for one file', parseSeconds);
}

function toExitTable(): string {
  return Object.values(exitCodes)
    .map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`)
    .join('\n');
}

export type { SharedOptions };
