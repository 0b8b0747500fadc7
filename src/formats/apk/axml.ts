/**
 * Android's binary XML, the form in which AndroidManifest.xml lies in a package.
 *
 * Specification: ResXMLTree_header and following in ResourceTypes.h of Android
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/libs/androidfw/include/androidfw/ResourceTypes.h
 *
 * Read as Android reads it: attributes are known by their resource number before their name, chunks of unknown types are
 * passed over, attributes may take more than their 20 bytes.
 * Not read: text between the elements, style and class shortcuts of an element.
 */
import { type ByteSource, toByteSource } from '../../bytes/byte-source.ts';
import { Cursor } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import type { ReadContext } from '../model.ts';
import { chunkTypes, readChunk, type ResourceChunk } from './resource-chunks.ts';
import { StringPool } from './string-pool.ts';
import type { XmlAttribute, XmlElement, XmlValue } from './xml-elements.ts';

/** Elements that one file may have; large real manifests have about 2,000. */
const elementsLimit = 100_000;
const depthLimit = 256;
/** Names from the resource map that are kept. */
const resourceMapLimit = 65_536;

/** Size of a node's header with line number and comment. */
const nodeHeaderBytes = 16;
const startElementBytes = 20;
const attributeBytes = 20;
const noString = 0xffffffff;

/** Res_value::dataType. */
export const valueTypes = {
  null: 0x00,
  reference: 0x01,
  attribute: 0x02,
  string: 0x03,
  dynamicReference: 0x07,
  integerFirst: 0x10,
  decimal: 0x10,
  hexadecimal: 0x11,
  boolean: 0x12,
} as const;

/**
 * The elements of a binary XML file, in their order. Damage is reported and reading goes on with the next chunk.
 *
 * @throws TelltaleError `malformed/structure` or `malformed/out-of-range` when it is no binary XML at all, `limit/time`
 */
export function* readBinaryXml(bytes: Uint8Array, context: ReadContext): Generator<XmlElement> {
  const source = toByteSource(bytes);
  const root = readChunk(source, 0, source.size, true);
  if (root.type !== chunkTypes.xml) {
    context.report({
      code: 'malformed/header',
      message: `has a compiled XML file that says it is of type 0x${root.type.toString(16)}`,
      offset: 0,
      consequence: 'it is read as XML all the same, as Android does; other tools may refuse it',
      incomplete: false,
    });
  }
  let pool: StringPool | undefined;
  let resourceMap: Uint32Array = new Uint32Array(0);
  let depth = 0;
  let elements = 0;
  let offset = root.headerSize;
  while (offset < root.end) {
    const chunk = tryReadChunk(source, offset, root.end, context);
    if (chunk === undefined) return;
    offset = chunk.end;
    switch (chunk.type) {
      case chunkTypes.stringPool:
        // Android takes the first one.
        pool ??= tryReadPool(source, chunk, context);
        break;
      case chunkTypes.xmlResourceMap:
        if (resourceMap.length === 0) resourceMap = readResourceMap(source, chunk);
        break;
      case chunkTypes.xmlStartElement: {
        elements += 1;
        if (elements % 1024 === 0) context.budget.checkTime();
        if (elements > elementsLimit || depth >= depthLimit) {
          context.report({
            code: 'limit/count',
            message:
              depth >= depthLimit
                ? `has elements nested more than ${depthLimit} deep`
                : `has more than ${elementsLimit} elements`,
            offset: chunk.offset,
            consequence: 'what the rest of the manifest says is not known',
            incomplete: true,
          });
          return;
        }
        const element = tryReadElement(source, chunk, pool, resourceMap, depth, context);
        depth += 1;
        if (element !== undefined) yield element;
        break;
      }
      case chunkTypes.xmlEndElement:
        depth = Math.max(0, depth - 1);
        break;
      default:
        break;
    }
  }
}

function tryReadChunk(
  source: ByteSource,
  offset: number,
  end: number,
  context: ReadContext,
): ResourceChunk | undefined {
  try {
    return readChunk(source, offset, end);
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    context.report({
      code: error.code,
      message: `manifest ${error.message}`,
      offset,
      consequence: 'what the rest of the manifest says is not known',
      incomplete: true,
    });
    return undefined;
  }
}

function tryReadPool(source: ByteSource, chunk: ResourceChunk, context: ReadContext): StringPool | undefined {
  try {
    return new StringPool(source, chunk, (finding) =>
      context.report({ ...finding, message: `manifest ${finding.message}` }),
    );
  } catch (error) {
    if (!(error instanceof TelltaleError)) throw error;
    context.report({
      code: error.code,
      message: `manifest ${error.message}`,
      offset: chunk.offset,
      consequence: 'no name in the manifest is known',
      incomplete: true,
    });
    return undefined;
  }
}

/** Number of the attribute for each of the first names in the pool. */
function readResourceMap(source: ByteSource, chunk: ResourceChunk): Uint32Array {
  const count = Math.min(resourceMapLimit, Math.floor((chunk.size - chunk.headerSize) / 4));
  const cursor = new Cursor(source.read(chunk.offset + chunk.headerSize, count * 4));
  return Uint32Array.from({ length: count }, () => cursor.u32());
}

function tryReadElement(
  source: ByteSource,
  chunk: ResourceChunk,
  pool: StringPool | undefined,
  resourceMap: Uint32Array,
  depth: number,
  context: ReadContext,
): XmlElement | undefined {
  try {
    return readElement(source, chunk, pool, resourceMap, depth);
  } catch (error) {
    if (!(error instanceof TelltaleError) || error.code.startsWith('limit/')) throw error;
    context.report({
      code: error.code,
      message: `manifest ${error.message}`,
      offset: chunk.offset,
      consequence: 'what that element of the manifest says is not known',
      incomplete: true,
    });
    return undefined;
  }
}

function readElement(
  source: ByteSource,
  chunk: ResourceChunk,
  pool: StringPool | undefined,
  resourceMap: Uint32Array,
  depth: number,
): XmlElement {
  if (chunk.headerSize < nodeHeaderBytes || chunk.size < chunk.headerSize + startElementBytes) {
    throw new TelltaleError('malformed/structure', 'has an element without a head', { offset: chunk.offset });
  }
  const start = chunk.offset + chunk.headerSize;
  const cursor = new Cursor(source.read(start, startElementBytes), 4);
  const name = pool?.get(cursor.u32()) ?? '';
  const attributeStart = cursor.u16();
  const attributeSize = cursor.u16();
  const attributeCount = cursor.u16();
  const isInside =
    attributeCount === 0 ||
    (attributeSize >= attributeBytes && start + attributeStart + attributeSize * attributeCount <= chunk.end);
  if (!isInside) {
    throw new TelltaleError(
      'malformed/structure',
      `has an element with ${attributeCount} attributes of ${attributeSize} bytes that do not fit into it`,
      { offset: chunk.offset },
    );
  }
  const attributes: XmlAttribute[] = [];
  for (let index = 0; index < attributeCount; index += 1) {
    const at = start + attributeStart + index * attributeSize;
    attributes.push(readAttribute(new Cursor(source.read(at, attributeBytes)), pool, resourceMap));
  }
  return { name, depth, attributes };
}

function readAttribute(cursor: Cursor, pool: StringPool | undefined, resourceMap: Uint32Array): XmlAttribute {
  const namespaceIndex = cursor.u32();
  const nameIndex = cursor.u32();
  const rawIndex = cursor.u32();
  cursor.skip(3);
  const type = cursor.u8();
  const data = cursor.u32();
  return {
    namespace: namespaceIndex === noString ? '' : (pool?.get(namespaceIndex) ?? ''),
    name: pool?.get(nameIndex) ?? '',
    resourceId: resourceMap[nameIndex] ?? 0,
    value: toValue(type, data, rawIndex, pool),
  };
}

function toValue(type: number, data: number, rawIndex: number, pool: StringPool | undefined): XmlValue {
  switch (type) {
    case valueTypes.string:
      return { kind: 'text', text: pool?.get(data) ?? '' };
    case valueTypes.reference:
    case valueTypes.dynamicReference:
      return { kind: 'reference', id: data };
    case valueTypes.boolean:
      return { kind: 'boolean', isTrue: data !== 0 };
    case valueTypes.decimal:
    case valueTypes.hexadecimal:
      return { kind: 'number', number: data | 0 };
    default: {
      const raw = rawIndex === noString ? undefined : pool?.get(rawIndex);
      return raw === undefined ? { kind: 'other', type, data } : { kind: 'text', text: raw };
    }
  }
}
