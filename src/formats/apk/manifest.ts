/**
 * What an Android manifest says: the package, its versions, its components and what it asks for.
 *
 * Specification: https://developer.android.com/guide/topics/manifest/manifest-intro
 *
 * Attributes are known by their number in Android's own resources, as Android does it: names of attributes may be
 * anything in a file that was made to mislead.
 */
import type { Fact, ReadContext } from '../model.ts';
import type { ResourceTable, ResourceValue } from './resources-arsc.ts';
import type { XmlAttribute, XmlElement } from './xml-elements.ts';

/** Facts of one manifest; a large real one has about 600. */
const factsLimit = 8_192;
/** Characters of a value that are kept. */
const valueCharactersLimit = 1_024;
/** File names of the icon, one for each density. */
const iconsLimit = 16;
const labelsLimit = 256;

const manifestRegion = 'AndroidManifest.xml';
const androidNamespace = 'http://schemas.android.com/apk/res/android';

/** Numbers of attributes, https://developer.android.com/reference/android/R.attr */
const attributeIds = {
  label: 0x01010001,
  icon: 0x01010002,
  name: 0x01010003,
  sharedUserId: 0x0101000b,
  debuggable: 0x0101000f,
  authorities: 0x01010018,
  targetActivity: 0x01010202,
  minSdkVersion: 0x0101020c,
  versionCode: 0x0101021b,
  versionName: 0x0101021c,
  targetSdkVersion: 0x01010270,
  testOnly: 0x01010272,
  roundIcon: 0x0101052c,
  appComponentFactory: 0x0101057a,
} as const;

type AndroidAttribute = keyof typeof attributeIds;

/** Elements whose `android:name` is a class of the package. */
const components: Readonly<Record<string, string>> = {
  activity: 'activity',
  'activity-alias': 'activityAlias',
  service: 'service',
  receiver: 'receiver',
  provider: 'provider',
};

interface ComponentState {
  readonly kind: string;
  readonly className: string;
  hasMain: boolean;
  isLauncher: boolean;
}

/**
 * The facts of a manifest.
 *
 * @param elements - in document order
 * @param resources - what resource numbers stand for; undefined when there is no table
 */
export function readManifest(
  elements: Iterable<XmlElement>,
  resources: ResourceTable | undefined,
  context: ReadContext,
): readonly Fact[] {
  const facts: Fact[] = [];
  /** Names of the elements around, by depth. */
  const path: string[] = [];
  let packageId = '';
  let component: ComponentState | undefined;
  const seen = new Set<string>();
  const add = (name: string, value: Fact['value'] | undefined, detail?: Fact['detail']): void => {
    if (value === undefined || facts.length >= factsLimit) return;
    const kept = typeof value === 'string' ? value.slice(0, valueCharactersLimit) : value;
    const key = `${name}\0${kept}\0${detail?.['language'] ?? ''}`;
    if (seen.has(key)) return;
    seen.add(key);
    facts.push({
      kind: 'packageField',
      name,
      value: kept,
      region: manifestRegion,
      ...(detail === undefined ? {} : { detail }),
    });
    if (facts.length === factsLimit) {
      context.report({
        code: 'limit/count',
        message: `has a manifest that says more than ${factsLimit} things`,
        consequence: 'what the rest of it says is not listed',
        incomplete: true,
      });
    }
  };

  for (const element of elements) {
    const { name, depth } = element;
    path.length = depth;
    const parent = path[depth - 1];
    path.push(name);
    const attribute = (key: AndroidAttribute): string | undefined =>
      toText(findAndroid(element, key), resources);
    const number = (key: AndroidAttribute): number | string | undefined =>
      toNumber(findAndroid(element, key), resources);

    if (depth === 0 && name === 'manifest') {
      const stated = toText(findPlain(element, 'package'), resources);
      if (stated !== undefined && stated !== '') {
        packageId = stated.slice(0, valueCharactersLimit);
        facts.push({ kind: 'packageId', value: packageId, region: manifestRegion });
      }
      add('versionName', attribute('versionName'));
      add('versionCode', number('versionCode'));
      add('sharedUserId', attribute('sharedUserId'));
      add('split', toText(findPlain(element, 'split'), resources));
      continue;
    }
    if (depth === 1) component = undefined;
    const kind = parent === 'application' && depth === 2 ? components[name] : undefined;
    if (kind !== undefined) {
      const className = toClassName(packageId, attribute('name'));
      const target = name === 'activity-alias' ? toClassName(packageId, attribute('targetActivity')) : '';
      add(kind, className === '' ? undefined : className, target === '' ? undefined : { target });
      for (const authority of (attribute('authorities') ?? '').split(';')) {
        if (name === 'provider' && authority !== '') add('authority', authority);
      }
      component = { kind: name, className, hasMain: false, isLauncher: false };
      continue;
    }
    switch (name) {
      case 'uses-sdk':
        add('minSdk', number('minSdkVersion'));
        add('targetSdk', number('targetSdkVersion'));
        break;
      case 'uses-permission':
      case 'uses-permission-sdk-23':
        add('permission', attribute('name'));
        break;
      case 'application':
        if (depth !== 1) break;
        add('application', toClassName(packageId, attribute('name')) || undefined);
        add('appComponentFactory', attribute('appComponentFactory'));
        add('debuggable', toBoolean(findAndroid(element, 'debuggable'), resources));
        add('testOnly', toBoolean(findAndroid(element, 'testOnly'), resources));
        addLabels(findAndroid(element, 'label'), resources, add);
        addIcons(findAndroid(element, 'icon'), resources, add);
        break;
      case 'intent-filter':
        if (component !== undefined) component.hasMain = component.isLauncher = false;
        break;
      case 'action':
      case 'category': {
        if (component === undefined || parent !== 'intent-filter') break;
        const value = attribute('name');
        if (value === 'android.intent.action.MAIN') component.hasMain = true;
        if (value === 'android.intent.category.LAUNCHER') component.isLauncher = true;
        if (component.hasMain && component.isLauncher && component.kind.startsWith('activity')) {
          add('mainActivity', component.className === '' ? undefined : component.className);
        }
        break;
      }
      default:
        break;
    }
  }
  return facts;
}

/** An attribute of Android: by number, or by name where the file carries no numbers. */
function findAndroid({ attributes }: XmlElement, key: AndroidAttribute): XmlAttribute | undefined {
  return (
    attributes.find(({ resourceId }) => resourceId === attributeIds[key]) ??
    attributes.find(
      ({ resourceId, name, namespace }) => resourceId === 0 && name === key && namespace === androidNamespace,
    )
  );
}

/** An attribute of the file's own, without a namespace. */
function findPlain({ attributes }: XmlElement, name: string): XmlAttribute | undefined {
  return attributes.find((attribute) => attribute.name === name && attribute.namespace === '');
}

function resolve(
  attribute: XmlAttribute | undefined,
  resources: ResourceTable | undefined,
): readonly ResourceValue[] {
  return attribute?.value.kind === 'reference' ? (resources?.resolve(attribute.value.id) ?? []) : [];
}

/** The value for any device: default language, lowest density. */
function toDefault(values: readonly ResourceValue[]): ResourceValue | undefined {
  return values.find(({ language }) => language === '') ?? values[0];
}

function toText(
  attribute: XmlAttribute | undefined,
  resources: ResourceTable | undefined,
): string | undefined {
  if (attribute === undefined) return undefined;
  const { value } = attribute;
  switch (value.kind) {
    case 'text':
      return value.text;
    case 'number':
      return String(value.number);
    case 'boolean':
      return String(value.isTrue);
    case 'reference': {
      const found = toDefault(resolve(attribute, resources))?.value;
      if (found === undefined) return `@0x${value.id.toString(16).padStart(8, '0')}`;
      return found.kind === 'text' ? found.text : String(found.number);
    }
    case 'other':
      return undefined;
  }
}

/** A number, or the code name of a version that has none yet. */
function toNumber(
  attribute: XmlAttribute | undefined,
  resources: ResourceTable | undefined,
): number | string | undefined {
  const text = toText(attribute, resources);
  return text !== undefined && /^-?\d{1,10}$/.test(text) ? Number(text) : text;
}

function toBoolean(
  attribute: XmlAttribute | undefined,
  resources: ResourceTable | undefined,
): boolean | undefined {
  const text = toText(attribute, resources);
  if (text === undefined) return undefined;
  return text === 'true' || (/^-?\d+$/.test(text) && Number(text) !== 0);
}

/** `.Main` and `Main` are classes of the package (https://developer.android.com/guide/topics/manifest/activity-element#nm). */
function toClassName(packageId: string, name: string | undefined): string {
  if (name === undefined || name === '') return '';
  if (name.startsWith('.')) return packageId + name;
  return name.includes('.') ? name : `${packageId}.${name}`;
}

type Add = (name: string, value: Fact['value'] | undefined, detail?: Fact['detail']) => void;

function addLabels(
  attribute: XmlAttribute | undefined,
  resources: ResourceTable | undefined,
  add: Add,
): void {
  const values = resolve(attribute, resources);
  if (values.length === 0) {
    add('label', toText(attribute, resources));
    return;
  }
  for (const { language, value } of values.slice(0, labelsLimit)) {
    if (value.kind !== 'text') continue;
    add('label', value.text, language === '' ? undefined : { language });
  }
}

function addIcons(attribute: XmlAttribute | undefined, resources: ResourceTable | undefined, add: Add): void {
  const values = resolve(attribute, resources);
  if (values.length === 0) {
    add('icon', toText(attribute, resources));
    return;
  }
  for (const { density, value } of values.slice(0, iconsLimit)) {
    if (value.kind === 'text') add('icon', value.text, { density });
  }
}
