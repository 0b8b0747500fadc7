import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type { CacheFolder } from '../platform/kept-databases.ts';

/**
 * The folder in which this user keeps what can be found out again: `TELLTALE_CACHE_DIR`, or `telltale` in the place that
 * the system has for such things. Undefined where the user has no home. The secret that seals what is kept lies in
 * another place, where the system has what is not to be thrown away.
 *
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function findCacheFolder(): CacheFolder | undefined {
  const given = process.env.TELLTALE_CACHE_DIR ?? '';
  const path = given === '' ? toUsualFolder() : resolve(given);
  if (path === undefined) return undefined;
  const state = toStateFolder();
  const secret = state === undefined ? undefined : join(state, 'cache-secret');
  return { path, owner: process.geteuid?.(), secret };
}

function toStateFolder(): string | undefined {
  const { APPDATA, XDG_STATE_HOME } = process.env;
  if (process.platform === 'win32') return APPDATA === undefined ? undefined : join(APPDATA, 'telltale');
  if (XDG_STATE_HOME !== undefined && isAbsolute(XDG_STATE_HOME)) return join(XDG_STATE_HOME, 'telltale');
  const home = tryFindHome();
  if (home === undefined) return undefined;
  return process.platform === 'darwin'
    ? join(home, 'Library', 'Application Support', 'telltale')
    : join(home, '.local', 'state', 'telltale');
}

function toUsualFolder(): string | undefined {
  const { LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  if (process.platform === 'win32')
    return LOCALAPPDATA === undefined ? undefined : join(LOCALAPPDATA, 'telltale', 'Cache');
  if (XDG_CACHE_HOME !== undefined && isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, 'telltale');
  const home = tryFindHome();
  if (home === undefined) return undefined;
  return process.platform === 'darwin'
    ? join(home, 'Library', 'Caches', 'telltale')
    : join(home, '.cache', 'telltale');
}

/** A user of a container may have neither a home nor a name. */
function tryFindHome(): string | undefined {
  try {
    const home = homedir();
    return home === '' ? undefined : home;
  } catch {
    return undefined;
  }
}

/** Options with `--cache FILE` and `--no-cache` as commander hands them over: under one name. */
export type Given<Options> = Omit<Options, 'cache' | 'cacheFolder'> & { readonly cache?: string | boolean };

/** The file of results that was asked for, and the folder of the user unless `--no-cache` says not to use any. */
export function takeCache<Options extends { readonly cache?: string | boolean }>({
  cache,
  ...rest
}: Options): Omit<Options, 'cache'> & { readonly cache?: string; readonly cacheFolder?: CacheFolder } {
  const folder = cache === false ? undefined : findCacheFolder();
  return {
    ...rest,
    ...(typeof cache === 'string' ? { cache } : {}),
    ...(folder === undefined ? {} : { cacheFolder: folder }),
  };
}
