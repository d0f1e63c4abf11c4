import { PROVIDERS, type Provider } from './providers.ts';

/**
 * The provider behind a host name; undefined: none that is known. Whole labels are compared, from the end, so that neither
 * "notgmail.com" nor "gmail.com.example.org" is taken for Gmail. Only a host as the settings have it counts: what a server
 * says of itself anybody can say.
 */
export function providerOf(host: string): Provider | undefined {
  const name = host.toLowerCase().replace(/\.$/, '');
  return PROVIDERS.find(({ hosts }) => hosts.some((known) => name === known || name.endsWith(`.${known}`)));
}

/** What to know before mail is fetched from there; the last says where to read more. */
export function providerNotes(host: string): readonly string[] {
  const provider = providerOf(host);
  if (provider === undefined) return [];
  return [...provider.notes, `More about POP3 at ${provider.name}: ${provider.sources[0]}`];
}
