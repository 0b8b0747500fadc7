import type { PublisherPins } from '../authenticity/publisher-pins.ts';
import type { Database } from './compose.ts';

/** The pins of all products in the shape in which signatures are checked; a publisher of several products once. */
export function toPublisherPins(database: Database): PublisherPins {
  const byId = new Map<string, PublisherPins['publishers'][number]>();
  for (const { publishers } of database.products) {
    for (const publisher of publishers) {
      const { id, name, commonNames, authenticode } = publisher;
      const earlier = byId.get(id);
      byId.set(id, {
        id,
        name: earlier?.name ?? name,
        commonNames: [...new Set([...(earlier?.commonNames ?? []), ...commonNames])],
        leaves: [
          ...(earlier?.leaves ?? []),
          ...authenticode.leaves.map(({ sha1, sha256, from, to }) => ({ sha1, sha256, from, to })),
        ],
        intermediates: [
          ...(earlier?.intermediates ?? []),
          ...authenticode.intermediates.map((pin) => ({
            sha1: pin.sha1,
            sha256: pin.sha256,
            commonNames: pin.commonNames,
            organizations: pin.organizations,
            from: pin.from,
            to: pin.to,
          })),
        ],
        appleTeams: [
          ...(earlier?.appleTeams ?? []),
          ...(publisher.appleTeams ?? []).map(({ team, from, to }) => ({ team, from, to })),
        ],
        androidCertificates: [
          ...(earlier?.androidCertificates ?? []),
          ...(publisher.androidCertificates ?? []).map(({ sha256, from, to }) => ({ sha256, from, to })),
        ],
        appxPublishers: [
          ...(earlier?.appxPublishers ?? []),
          ...(publisher.appxPublishers ?? []).map((one) => one.publisher),
        ],
      });
    }
  }
  return { publishers: [...byId.values()] };
}
