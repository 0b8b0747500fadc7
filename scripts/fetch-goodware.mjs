#!/usr/bin/env node
/*
 * Fetches the goodware: published packages that have nothing to do with the products of the database, on which no
 * indicator above `suggestive` may fire. They are listed in fixtures/goodware/manifest.json and never become part of
 * the project.
 *
 * The packages stay packed; telltale opens them itself. `npm pack` fetches them, so the registry, proxy and certificate
 * settings of the machine hold. Each one goes into a folder of its own beside its place, is compared with the digest in
 * the manifest, and only then gets its name: a file under its own name is always a whole one.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const help = `usage: node scripts/fetch-goodware.mjs [--small] [--into FOLDER]

Fetches the packages of fixtures/goodware/manifest.json with npm, and checks each against its sha512.

  --small           only the packages that the tests use (some 30 MB instead of 350)
  --into FOLDER     where they go (default: $TELLTALE_GOODWARE, else ~/.cache/telltale/goodware)
  --check           fetch nothing; say what is there, and whether it is whole
  --manifest FILE   another list
  --help            this text

exit codes: 0 everything is there and whole; 1 a package does not match its digest; 2 wrong usage;
3 a package is missing: the registry could not be reached or does not have it, or the folder cannot be used
`;

const atOnce = 4;
/** npm waits five minutes by default; a registry that is not there should be known sooner. */
const npmPatience = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-timeout=60000'];
const packageMilliseconds = 600_000;
const partPrefix = '.part-';

const options = readOptions();
if (typeof options === 'string') {
  process.stderr.write(`fetch-goodware: ${options}\n\n${help}`);
  process.exit(2);
}
if (options.help) {
  process.stdout.write(help);
  process.exit(0);
}

/** Folders and processes of this run, to be cleared away when it is interrupted. */
const partFolders = new Set();
const children = new Set();
let isInterrupted = false;
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => {
    isInterrupted = true;
    for (const child of children) child.kill();
    void Promise.allSettled([...partFolders].map(removeFolder)).then(() => {
      process.stderr.write('fetch-goodware: interrupted; what was fetched whole stays\n');
      process.exit(code);
    });
  });
}

process.exitCode = await main(options);

async function main({ manifest, into, small, check }) {
  let packages;
  try {
    packages = toPackages(JSON.parse(await readFile(manifest, 'utf8'))).filter((one) => !small || one.small);
  } catch (error) {
    process.stderr.write(`fetch-goodware: ${manifest}: ${toReason(error)}\n`);
    return 2;
  }
  try {
    if (!check) {
      await mkdir(into, { recursive: true });
      await removeLeftovers(into);
    }
  } catch (error) {
    process.stderr.write(
      `SKIPPED: no goodware is fetched, because ${into} cannot be used: ${toReason(error)}\n`,
    );
    return 3;
  }

  const outcomes = [];
  const waiting = [...packages];
  const work = async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      // One package that cannot be reached speaks for the others.
      const isPointless = isInterrupted || outcomes.some(({ kind }) => kind === 'unreachable');
      const outcome = await provide(one, into, check || isPointless).catch((error) => ({
        kind: 'unreachable',
        text: `${one.name}: ${toReason(error)}`,
      }));
      outcomes.push(outcome);
      if (outcome.text !== undefined && !isInterrupted) {
        process.stderr.write(`fetch-goodware: ${outcome.text}\n`);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));

  const count = (kind) => outcomes.filter((outcome) => outcome.kind === kind).length;
  const missing = count('missing') + count('unreachable');
  const refused = count('refused');
  const bytes = packages.reduce((sum, one) => sum + one.bytes, 0);
  process.stdout.write(
    `goodware: ${packages.length} packages, ${(bytes / 1e6).toFixed(1)} MB: ${count('there')} were there, ${count('fetched')} fetched, ${missing} missing, ${refused} refused; in ${into}\n`,
  );
  if (refused > 0) return 1;
  if (missing === 0) return 0;
  process.stderr.write(
    `SKIPPED: ${missing} of ${packages.length} goodware packages are not there; tests on them will be skipped\n`,
  );
  return 3;
}

/** Sees to it that one package is there and whole. */
async function provide(one, into, isOnlyCheck) {
  const path = join(into, toFileName(one));
  const spec = `${one.name}@${one.version}`;
  const before = await examine(path, one);
  if (before === 'whole') return { kind: 'there' };
  if (isOnlyCheck) {
    return before === 'absent'
      ? { kind: 'missing' }
      : { kind: 'refused', text: `${path} does not match the manifest` };
  }
  if (before === 'different') {
    process.stderr.write(`fetch-goodware: ${path} does not match the manifest; it is fetched again\n`);
    await rm(path);
  }

  const part = await mkdtemp(join(into, `${partPrefix}${process.pid}-`));
  partFolders.add(part);
  try {
    const failure = await pack(spec, part);
    if (failure !== undefined) return failure;
    const [file, ...others] = (await readdir(part)).filter((name) => name.endsWith('.tgz'));
    if (file === undefined || others.length > 0)
      return { kind: 'missing', text: `npm pack ${spec} gave no package` };
    const fetched = join(part, file);
    if ((await examine(fetched, one)) !== 'whole') {
      return { kind: 'refused', text: `${spec}: what the registry sent does not match the manifest` };
    }
    await rename(fetched, path);
    process.stderr.write(`fetch-goodware: fetched ${spec}, ${(one.bytes / 1e6).toFixed(1)} MB\n`);
    return { kind: 'fetched' };
  } finally {
    await removeFolder(part);
    partFolders.delete(part);
  }
}

/** Runs `npm pack` in a folder; it runs no script of the package. @returns what went wrong */
async function pack(spec, folder) {
  // The cache of npm goes with the folder: packages of this size would only fill that of the person.
  const args = [
    'pack',
    spec,
    '--ignore-scripts',
    '--loglevel=error',
    '--no-update-notifier',
    ...npmPatience,
    `--cache=${join(folder, 'npm')}`,
  ];
  const isWindows = process.platform === 'win32';
  const child = spawn(isWindows ? 'npm.cmd' : 'npm', args, {
    cwd: folder,
    shell: isWindows,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: packageMilliseconds,
  });
  children.add(child);
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = (said + String(chunk)).slice(-10_000);
  });
  const code = await new Promise((done) => {
    child.once('error', (error) => {
      said += error.message;
      done(-1);
    });
    child.once('close', done);
  });
  children.delete(child);
  if (code === 0) return undefined;
  const errorCode = /npm error code (\w+)/.exec(said)?.[1] ?? `exit ${code}`;
  if (errorCode === 'EINTEGRITY') {
    return { kind: 'refused', text: `${spec}: the package does not match the digest of the registry itself` };
  }
  const isPackage = errorCode === 'E404' || errorCode === 'ETARGET';
  return {
    kind: isPackage ? 'missing' : 'unreachable',
    text: isPackage
      ? `${spec}: the registry does not have it (${errorCode})`
      : `${spec}: the registry could not be reached (${errorCode}); nothing more is fetched`,
  };
}

/** Whether a file is there, and is the one of the manifest. */
async function examine(path, { bytes, integrity }) {
  let status;
  try {
    status = await lstat(path);
  } catch (error) {
    if (error.code === 'ENOENT') return 'absent';
    throw error;
  }
  if (!status.isFile() || status.size !== bytes) return 'different';
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return `sha512-${hash.digest('base64')}` === integrity ? 'whole' : 'different';
}

/** Folders of runs that were killed; those of runs that still work are left alone. */
async function removeLeftovers(into) {
  for (const name of await readdir(into)) {
    const pid = /^\.part-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await removeFolder(join(into, name));
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function removeFolder(path) {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

/** `@scope/name` of version 1.0.0 is `scope-name-1.0.0.tgz`, as npm itself names it. */
function toFileName({ name, version }) {
  return `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
}

/** Names become paths and arguments: nothing odd passes. */
function toPackages({ packages }) {
  if (!Array.isArray(packages)) throw new Error('holds no list "packages"');
  for (const { name, version, integrity, bytes } of packages) {
    if (!/^(?:@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*$/.test(name))
      throw new Error(`"${name}" is no name of a package`);
    if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
      throw new Error(`${name}: "${version}" is no exact version`);
    if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity)) throw new Error(`${name}: has no sha512`);
    if (!Number.isSafeInteger(bytes) || bytes < 1) throw new Error(`${name}: has no size`);
  }
  return packages;
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        small: { type: 'boolean', default: false },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        into: { type: 'string' },
        manifest: { type: 'string' },
      },
    });
    const fromEnvironment = process.env.TELLTALE_GOODWARE ?? '';
    const cache = fromEnvironment === '' ? join(homedir(), '.cache/telltale/goodware') : fromEnvironment;
    if (values.into === '') return '--into names no folder';
    return {
      ...values,
      into: resolve(values.into ?? cache),
      manifest:
        values.manifest ?? fileURLToPath(new URL('../fixtures/goodware/manifest.json', import.meta.url)),
    };
  } catch (error) {
    return toReason(error);
  }
}

function toReason(error) {
  return error instanceof Error ? error.message : String(error);
}
