import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { shippedDatabase } from '../../src/platform/shipped.ts';
import { toConditionText } from '../../src/report/condition-text.ts';
import { loadDatabase } from '../../src/signatures/load.ts';
import { type Condition, conditionSchema } from '../../src/signatures/schema.ts';

const sha1 = 'a'.repeat(40);
const sha256 = 'b'.repeat(64);

/** A condition, its English words and its Chinese words. */
const examples: readonly (readonly [Condition, string, string])[] = [
  [{ text: 'a mark' }, 'text "a mark" in its bytes', '字节中含有文本“a mark”'],
  [
    { text: 'a', encodings: ['utf-16le'], ignoreCase: true, wholeWord: true },
    'text "a" in its bytes, in UTF-16LE only, in upper or lower case, as a whole word',
    '字节中含有文本“a”，仅限 UTF-16LE 编码，不分大小写，作为完整的单词',
  ],
  [{ text: 'a', encodings: ['ascii', 'utf-16le'] }, 'text "a" in its bytes', '字节中含有文本“a”'],
  [
    { host: 'a.example' },
    'host a.example, with no further label before it',
    '主机 a.example，前面不带子域名',
  ],
  [
    { host: 'a.example', subdomains: true },
    'host a.example, with or without further labels before it',
    '主机 a.example，前面带不带子域名均可',
  ],
  [{ bytes: 'deadbeef' }, 'the bytes de ad be ef', '字节 de ad be ef'],
  [
    { regex: 'key=[0-9]+', anchor: 'key=', encodings: ['ascii'] },
    'text in its bytes that matches /key=[0-9]+/ around "key=", in ASCII or UTF-8 only',
    '字节中“key=”周围的文本匹配 /key=[0-9]+/，仅限 ASCII 或 UTF-8 编码',
  ],
  [{ fileName: 'a.exe' }, 'its own file name is a.exe', '自身的文件名为 a.exe'],
  [
    { fileName: 'a-*.exe' },
    'its own file name is a-*.exe (* stands for anything)',
    '自身的文件名为 a-*.exe（* 代表任意内容）',
  ],
  [{ memberName: 'b.dll' }, 'something directly inside is named b.dll', '直接含有名为 b.dll 的成员'],
  [
    { versionInfo: { field: 'CompanyName', is: { startsWith: 'Demo' } } },
    'CompanyName of the version block begins with "Demo"',
    '版本信息块的 CompanyName 以“Demo”开头',
  ],
  [{ version: [5, 1, 4, 10] }, 'version 5.1.4.10', '版本号为 5.1.4.10'],
  [{ version: [6, 11] }, 'version that begins with 6.11', '版本号以 6.11 开头'],
  [{ version: [null, null, 4] }, 'version: third component 4', '版本号：第三位为 4'],
  [
    { version: [{ min: 2, max: 6 }, { min: 0, max: 0 }, null, 3] },
    'version: first component 2 to 6, second component 0, fourth component 3',
    '版本号：第一位为 2 至 6，第二位为 0，第四位为 3',
  ],
  [{ version: [null] }, 'any version', '任意版本号'],
  [
    { packageId: { equals: ['a.b', 'a.c', 'a.d'] } },
    'package id is "a.b", "a.c" or "a.d"',
    '包名为“a.b”或“a.c”或“a.d”',
  ],
  [
    { bundleId: { equals: 'a.b', exact: true } },
    'bundle id is "a.b" (upper and lower case and white space count)',
    '套装 ID 为“a.b”（区分大小写和空白）',
  ],
  [
    { msiProperty: { name: 'ProductName', is: { contains: 'Demo' } } },
    'MSI property ProductName contains "Demo"',
    'MSI 属性 ProductName 含有“Demo”',
  ],
  [
    { fact: 'packageField', name: 'Maintainer', is: { matches: '^Demo' } },
    'fact packageField Maintainer matches /^Demo/',
    '事实 packageField Maintainer 匹配 /^Demo/',
  ],
  [{ fact: 'packer', is: { equals: 'UPX' } }, 'fact packer is "UPX"', '事实 packer 为“UPX”'],
  [{ signer: {} }, 'any signature', '任意签名'],
  [
    {
      signer: {
        status: 'claimed',
        publisher: 'demo',
        commonName: { equals: 'Demo' },
        issuerCommonName: { contains: 'CA' },
        issuerOrganization: { startsWith: 'Org' },
        sha1,
        sha256,
      },
    },
    `a signature of which the certificate bears the publisher's name and is not known to be the publisher's, the publisher is demo, the common name of the signer is "Demo", the common name of the issuer contains "CA", the organization of the issuer begins with "Org", the certificate has the SHA-1 ${sha1} and the certificate has the SHA-256 ${sha256}`,
    `有一个签名满足：证书写有发布者的名称，但不是已知属于发布者的证书，发布者为 demo，签名者的通用名称为“Demo”，颁发者的通用名称含有“CA”，颁发者的组织以“Org”开头，证书的 SHA-1 为 ${sha1}，证书的 SHA-256 为 ${sha256}`,
  ],
  [{ digest: [sha256] }, `SHA-256 ${sha256}`, `SHA-256 为 ${sha256}`],
  [{ all: [{ text: 'only' }] }, 'text "only" in its bytes', '字节中含有文本“only”'],
  [
    { all: [{ text: 'a' }, { any: [{ text: 'b' }, { none: [{ text: 'c' }] }] }] },
    'all of these: text "a" in its bytes; (at least one of these: text "b" in its bytes; (not this: text "c" in its bytes))',
    '以下各项全部成立：字节中含有文本“a”；（以下至少一项成立：字节中含有文本“b”；（以下情况不成立：字节中含有文本“c”））',
  ],
  [
    { any: [{ text: 'a' }, { all: [{ text: 'b' }] }] },
    'at least one of these: text "a" in its bytes; text "b" in its bytes',
    '以下至少一项成立：字节中含有文本“a”；字节中含有文本“b”',
  ],
  [
    { none: [{ text: 'a' }, { text: 'b' }] },
    'none of these: text "a" in its bytes; text "b" in its bytes',
    '以下各项均不成立：字节中含有文本“a”；字节中含有文本“b”',
  ],
  [
    { atLeast: 2, of: [{ text: 'a' }, { text: 'b' }, { text: 'c' }] },
    'at least 2 of these: text "a" in its bytes; text "b" in its bytes; text "c" in its bytes',
    '以下至少 2 项成立：字节中含有文本“a”；字节中含有文本“b”；字节中含有文本“c”',
  ],
];

/** The field by which each kind of condition is known, from the schema itself. */
function listKinds(): readonly string[] {
  const shape = z.looseObject({
    anyOf: z.array(z.looseObject({ required: z.array(z.string()).min(1) })),
  });
  const generated = z.toJSONSchema(conditionSchema, { reused: 'inline' });
  const definitions = z
    .looseObject({ $defs: z.record(z.string(), z.unknown()).optional() })
    .parse(generated).$defs;
  const union = [generated, ...Object.values(definitions ?? {})].find(
    (candidate) => shape.safeParse(candidate).success,
  );
  return shape.parse(union).anyOf.map(({ required }) => required[0] ?? '');
}

describe('when a condition is said in words', () => {
  it.each(examples)('%j', (condition, english, chinese) => {
    expect(conditionSchema.safeParse(condition).success).toBe(true);
    expect(toConditionText(condition, 'en')).toBe(english);
    expect(toConditionText(condition, 'zh')).toBe(chinese);
  });

  it('has an example of every kind that the schema knows', () => {
    const kinds = listKinds();
    expect(kinds.length).toBeGreaterThan(15);
    const shown = new Set(examples.flatMap(([condition]) => Object.keys(condition)));
    expect(kinds.filter((kind) => !shown.has(kind))).toEqual([]);
  });

  it('says every condition of the database that ships without a hole', () => {
    const conditions = loadDatabase([shippedDatabase]).products.flatMap(({ product, variants }) => [
      ...[...product.claims, ...(product.scopes ?? [])].map(({ when }) => when),
      ...variants.flatMap(({ indicators }) => indicators.map(({ when }) => when)),
    ]);
    for (const condition of conditions) {
      expect(toConditionText(condition, 'en')).not.toMatch(/undefined|\[object|: ;|: $/);
      expect(toConditionText(condition, 'zh')).not.toMatch(/undefined|\[object|：；|：$/);
    }
  });
});
