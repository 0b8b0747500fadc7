import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createDemoPublisher } from '../../fixtures/demo-publisher.ts';
import { buildPlainSkype, buildTomSkype } from '../../fixtures/synthetic-skype.ts';
import { packUpx } from '../../fixtures/upx-builder.ts';
import { buildZip } from '../../fixtures/zip-builder.ts';
import type { TreeNode } from '../../src/verdict/model.ts';
import { mutate } from '../mutation.ts';
import { scanBytes, shippedKnowledge } from './scan-bytes.ts';

function* walk(node: TreeNode): Generator<TreeNode> {
  yield node;
  for (const member of node.members) yield* walk(member);
}

describe('when whole files are damaged', () => {
  const publisher = createDemoPublisher();
  const genuine = publisher.sign(packUpx(buildPlainSkype(), { method: 'nrv2e' }));
  // The pin is added to the pins of the shipped database, without a file of its own.
  const shipped = shippedKnowledge();
  const knowledge = {
    ...shipped,
    pins: {
      publishers: shipped.pins.publishers.map((one) => ({
        ...one,
        leaves: [
          ...one.leaves,
          { sha256: publisher.certificates.leaf.sha256, from: '2014-05-14', to: '2015-08-14' },
        ],
      })),
    },
  };
  const archive = buildZip({
    entries: [
      { name: 'SkypeSetup.exe', data: genuine },
      { name: '软件/setup.exe', data: buildTomSkype() },
    ],
  });

  it('scans each to its end, without a bug of ours', async () => {
    for (const { bytes, description } of mutate(archive, 400, 11)) {
      const result = await scanBytes('a.zip', bytes, { knowledge });
      expect(
        result.problems.filter(({ code }) => code.startsWith('internal/')),
        description,
      ).toEqual([]);
    }
  });

  it('calls nothing official but what is signed, byte for byte where the signature covers it', async () => {
    const digest = createHash('sha256').update(genuine).digest('hex');
    let stillOfficial = 0;
    for (const { bytes, description } of mutate(genuine, 600, 12)) {
      const result = await scanBytes('SkypeSetup.exe', bytes, { knowledge });
      expect(
        result.problems.filter(({ code }) => code.startsWith('internal/')),
        description,
      ).toEqual([]);
      if (result.verdict !== 'official') continue;
      stillOfficial += 1;
      expect({ integrity: result.integrity, signer: result.signer }, description).toEqual({
        integrity: 'intact',
        signer: 'pinned',
      });
      const [root] = result.tree === null ? [] : [...walk(result.tree)];
      if (root?.sha256 !== digest) {
        // Only the certificate table and the fields that the digest leaves out may differ.
        const [signature] = result.authenticity?.signatures ?? [];
        expect(signature?.actualDigest, description).toBe(signature?.signedDigest);
      }
    }
    expect(stillOfficial).toBeLessThan(300);
  });
});
