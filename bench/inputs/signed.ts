import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makeCertificateSet, toPem } from '../../fixtures/certificate-authority.ts';
import { readPackages, readSmallPrograms, takeMembers, writeMember } from './payloads.ts';
import { listFiles, type Recipe } from './recipe.ts';
import { runTool } from './run-tool.ts';
import type { Scale } from './scale.ts';

/** Every so many of our own, a byte is changed after it was signed. */
const changedEvery = 16;
/** The certificate that the signatures of our own go back to. */
export const ownRoot = 'own-root.pem';

export function createSignedFolder(
  { prefix, publishedFiles, ownSignedCount }: Scale,
  smallPrograms: Recipe,
  windowsPayload: Recipe,
): Recipe {
  return {
    id: `${prefix}signed`,
    title: 'folder of signed Windows programs: as published, and signed with a certificate of our own',
    parameters: {
      revision: 1,
      publishedFiles,
      ownSignedCount,
      changedEvery,
      packages: readPackages(publishedFiles.map(({ from }) => from)),
    },
    needs: [smallPrograms, windowsPayload],
    tools: [{ program: 'osslsigncode', debianPackage: 'osslsigncode' }],
    build(folder, context) {
      for (const [index, { from, member, as }] of publishedFiles.entries()) {
        const [content] = takeMembers(context, from, [member]);
        writeMember(
          join(folder, 'published', `${String(index).padStart(2, '0')}-${as}`),
          content ?? Buffer.alloc(0),
        );
      }
      const work = join(folder, 'work');
      mkdirSync(work);
      mkdirSync(join(folder, 'own'));
      const { root, intermediate, leaf } = makeCertificateSet({
        kind: 'code-signing',
        subject: { commonName: 'Benchmark Publisher', organization: 'Benchmark', country: 'LU' },
        from: '2005-01-01T00:00:00Z',
        to: '2049-01-01T00:00:00Z',
        seed: 'benchmark',
      });
      writeFileSync(join(folder, ownRoot), toPem(root));
      writeFileSync(join(work, 'chain.pem'), toPem(leaf, intermediate));
      writeFileSync(join(work, 'key.pem'), leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }));
      let count = 0;
      const payload = context.folderOf(windowsPayload);
      const large = listFiles(payload)
        .filter((name) => /\.(?:exe|dll)$/.test(name))
        .map((name) => ({ name: basename(name), content: readFileSync(join(payload, name)) }));
      for (const { name, content } of [...large, ...readSmallPrograms(context.folderOf(smallPrograms))]) {
        if (count === ownSignedCount) break;
        const path = join(work, 'unsigned.exe');
        const target = join(folder, 'own', `${String(count).padStart(3, '0')}-${name}`);
        writeFileSync(path, content);
        rmSync(target, { force: true });
        try {
          runTool(
            'osslsigncode',
            ['sign', '-certs', 'chain.pem', '-key', 'key.pem', '-h', 'sha256', '-in', path, '-out', target],
            work,
          );
        } catch {
          // Already signed by somebody, or not for Windows.
          rmSync(target, { force: true });
          continue;
        }
        if (count % changedEvery === changedEvery - 1) {
          const bytes = readFileSync(target);
          const at = Math.floor(content.length / 2);
          bytes[at] = (bytes[at] ?? 0) ^ 0xff;
          writeFileSync(target, bytes);
        }
        count += 1;
      }
      rmSync(work, { recursive: true });
      if (count < ownSignedCount) {
        throw new Error(`only ${count} of ${ownSignedCount} programs could be signed`);
      }
    },
  };
}
