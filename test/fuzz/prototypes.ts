import assert from 'node:assert/strict';

const PROTOTYPES = [Object.prototype, Array.prototype, String.prototype, Map.prototype];

type Properties = ReadonlyMap<PropertyKey, PropertyDescriptor | undefined>;

const PRISTINE: readonly (readonly [prototype: object, properties: Properties])[] = PROTOTYPES.map(
  (prototype) => [prototype, propertiesOf(prototype)],
);

function propertiesOf(prototype: object): Properties {
  const keys = Reflect.ownKeys(prototype);
  return new Map(keys.map((key) => [key, Object.getOwnPropertyDescriptor(prototype, key)]));
}

/** Throws if what every object inherits is not what it was. Mends it, so that no later input is blamed for it. */
export function checkPrototypes(): void {
  const polluted = PRISTINE.flatMap(([prototype, before]) => mended(prototype, before));
  assert.deepEqual(polluted, [], 'a prototype was polluted');
}

/** The properties that had to be mended. */
function mended(prototype: object, before: Properties): PropertyKey[] {
  const after = propertiesOf(prototype);
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (key) => before.get(key)?.value !== after.get(key)?.value || before.has(key) !== after.has(key),
  );
  for (const key of changed) {
    Reflect.deleteProperty(prototype, key);
    const descriptor = before.get(key);
    if (descriptor !== undefined) Object.defineProperty(prototype, key, descriptor);
  }
  return changed;
}
