/**
 * XML as a protocol buffer, the form in which the manifest lies in an Android App Bundle.
 *
 * Specification: XmlNode in https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/tools/aapt2/Resources.proto,
 * https://protobuf.dev/programming-guides/encoding/
 *
 * Read: names, attributes with their text and resource number, children.
 * Not read: compiled values of attributes (the text stands beside them), text between the elements.
 */
import { Cursor } from '../../bytes/cursor.ts';
import { TelltaleError } from '../../bytes/errors.ts';
import type { ReadContext } from '../model.ts';
import type { XmlAttribute, XmlElement } from './xml-elements.ts';

const elementsLimit = 100_000;
const depthLimit = 256;

/** One field of a message: a number, or bytes. */
interface ProtoField {
  readonly number: number;
  readonly value: number;
  /** Empty for a number. */
  readonly bytes: Uint8Array;
}

/**
 * The fields of a message, in their order.
 *
 * @throws TelltaleError `malformed/structure` or `malformed/out-of-range` where the encoding breaks
 */
export function* readProtoFields(message: Uint8Array): Generator<ProtoField> {
  const cursor = new Cursor(message);
  while (cursor.remaining > 0) {
    const tag = readVarint(cursor);
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { number, value: readVarint(cursor), bytes: new Uint8Array(0) };
        break;
      case 1:
        cursor.skip(8);
        break;
      case 2:
        yield { number, value: 0, bytes: cursor.bytes(readVarint(cursor)) };
        break;
      case 5:
        cursor.skip(4);
        break;
      default:
        throw new TelltaleError('malformed/structure', 'has a field of a kind that does not exist', {
          offset: cursor.offset,
        });
    }
  }
}

/** Up to ten bytes; what does not fit into 53 bits is no length and no number that matters here. */
function readVarint(cursor: Cursor): number {
  let value = 0;
  for (let index = 0; index < 10; index += 1) {
    const byte = cursor.u8();
    value += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) === 0) return value;
  }
  throw new TelltaleError('malformed/structure', 'has a number of more than ten bytes', {
    offset: cursor.offset,
  });
}

const toText = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

/**
 * The elements of a manifest, parents before their children.
 *
 * @throws TelltaleError `limit/time`
 */
export function* readProtoXml(bytes: Uint8Array, context: ReadContext): Generator<XmlElement> {
  // A list of what is still to be read instead of recursion; the next is at its end.
  const waiting: { readonly node: Uint8Array; readonly depth: number }[] = [{ node: bytes, depth: 0 }];
  let elements = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, depth } = next;
    elements += 1;
    if (elements % 256 === 0) context.budget.checkTime();
    if (elements > elementsLimit || depth > depthLimit) {
      context.report({
        code: 'limit/count',
        message: `has a manifest of more than ${elementsLimit} elements or ${depthLimit} levels`,
        consequence: 'what the rest of the manifest says is not known',
        incomplete: true,
      });
      return;
    }
    try {
      const element = tryFindElement(node);
      if (element === undefined) continue;
      let name = '';
      const attributes: XmlAttribute[] = [];
      const children: Uint8Array[] = [];
      for (const field of readProtoFields(element)) {
        if (field.number === 3) name = toText(field.bytes);
        else if (field.number === 4) attributes.push(readAttribute(field.bytes));
        else if (field.number === 5) children.push(field.bytes);
        // An empty field has two bytes, what stands for it in memory a hundred.
        if (attributes.length + children.length > elementsLimit) {
          throw new TelltaleError(
            'malformed/structure',
            `has an element of more than ${elementsLimit} parts`,
          );
        }
      }
      for (const child of children.toReversed()) waiting.push({ node: child, depth: depth + 1 });
      yield { name, depth, attributes };
    } catch (error) {
      if (!(error instanceof TelltaleError) || error.code.startsWith('limit/')) throw error;
      context.report({
        code: error.code,
        message: `manifest ${error.message}`,
        consequence: 'what a part of the manifest says is not known',
        incomplete: true,
      });
    }
  }
}

/** An XmlNode is an element or a text. */
function tryFindElement(node: Uint8Array): Uint8Array | undefined {
  for (const { number, bytes } of readProtoFields(node)) if (number === 1) return bytes;
  return undefined;
}

function readAttribute(bytes: Uint8Array): XmlAttribute {
  let namespace = '';
  let name = '';
  let text = '';
  let resourceId = 0;
  for (const field of readProtoFields(bytes)) {
    if (field.number === 1) namespace = toText(field.bytes);
    else if (field.number === 2) name = toText(field.bytes);
    else if (field.number === 3) text = toText(field.bytes);
    else if (field.number === 5) resourceId = field.value;
  }
  return { namespace, name, resourceId, value: { kind: 'text', text } };
}
