import type { Source } from './schema.ts';

/** Where a stranger can open a source: its address, or `owner/name@commit:path`; undefined for an unresolved one. */
export function toLink({ url, repository, commit, path }: Source): string | undefined {
  if (url !== undefined) return url;
  if (repository === undefined) return undefined;
  return `${repository}${commit === undefined ? '' : `@${commit}`}${path === undefined ? '' : `:${path}`}`;
}
