import type { TelltaleError } from '../../bytes/errors.ts';
import type { Fact, ReadContext } from '../model.ts';
import type { XmlElement } from '../xml.ts';

/** The first child of a name. */
export function tryChild(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}

const valueCharactersLimit = 8192;

/** A field of a package, unless it is empty. */
export function toFieldFacts(name: string, value: string | undefined, offset?: number): readonly Fact[] {
  const trimmed = value?.trim().slice(0, valueCharactersLimit) ?? '';
  if (trimmed === '') return [];
  return [{ kind: 'packageField', name, value: trimmed, ...(offset === undefined ? {} : { offset }) }];
}

/** Tells of XML that could not be read to its end. */
export function reportXmlFault(fault: TelltaleError | undefined, context: ReadContext): void {
  if (fault === undefined) return;
  context.report({
    code: fault.code,
    message: fault.message,
    ...(fault.offset === undefined ? {} : { offset: fault.offset }),
    consequence: 'fields behind that place were not read; its bytes were searched',
    incomplete: true,
  });
}
