/** The elements of a compiled XML file, whichever way it is encoded. */

/** What an attribute holds. */
export type XmlValue =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'boolean'; readonly isTrue: boolean }
  /** A resource, `@0x7f0b0001`. */
  | { readonly kind: 'reference'; readonly id: number }
  /** A dimension, a fraction, a colour, and the like. */
  | { readonly kind: 'other'; readonly type: number; readonly data: number };

export interface XmlAttribute {
  /** Address of the namespace; empty for none. */
  readonly namespace: string;
  readonly name: string;
  /** Number of the attribute in Android's own resources, by which Android knows it; 0 for none. */
  readonly resourceId: number;
  readonly value: XmlValue;
}

/** The start of an element; its end follows from the depth of the next one. */
export interface XmlElement {
  readonly name: string;
  /** 0 for the root. */
  readonly depth: number;
  readonly attributes: readonly XmlAttribute[];
}
