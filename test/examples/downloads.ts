import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDemoPublisher } from '../../fixtures/demo-publisher.ts';
import { buildPlainSkype, buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';

const publisher = createDemoPublisher();
const official = publisher.sign(buildPlainSkype());

/** What a folder of downloads may hold. Nothing of it is Skype; the publisher is made up, and pinned in `database`. */
export const downloads = {
  official: { name: 'SkypeSetup.exe', bytes: official },
  variant: {
    name: 'skype_cn.zip',
    bytes: buildZip({ entries: [{ name: '软件/Tom-SkypeSetup.exe', data: buildTomSkype() }] }),
  },
  // The first member is official, the second cannot be read.
  unread: {
    name: 'bundle.zip',
    bytes: buildZip({
      entries: [
        { name: 'SkypeSetup.exe', data: official },
        { name: 'more.exe', data: 'x'.repeat(40), flags: 1 },
      ],
    }),
  },
  other: { name: 'notes.txt', bytes: new TextEncoder().encode('nothing to do with it\n') },
} as const;

export type DownloadName = keyof typeof downloads;

/** A folder with the downloads in `downloads` and the database that pins the made-up publisher in `database`. */
export function makeWorkplace(...names: readonly DownloadName[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-example-'));
  mkdirSync(join(folder, 'downloads'));
  for (const name of names)
    writeFileSync(join(folder, 'downloads', downloads[name].name), downloads[name].bytes);
  mkdirSync(join(folder, 'database', 'skype'), { recursive: true });
  writeFileSync(join(folder, 'database', 'skype', 'publishers.json'), publisher.toPinFile());
  writeFileSync(join(folder, 'database', 'skype', 'sources.json'), publisher.toSourceFile());
  return folder;
}
