import type { HttpLeases } from '../../client/http';
import { connect, findPlace } from '../access';
import type { Place } from '../access';
import type { PlaceFlags } from '../access-options';
import type { Contents } from '../selection';

/** A config, with what is in it. */
export interface Opened extends Contents {
  readonly leases: HttpLeases;
  readonly place: Place;
}

/** Does something with a config of which the names, and the static values, are known. Nothing is leased by that. */
export async function withContents(flags: PlaceFlags, act: (opened: Opened) => Promise<number>): Promise<number> {
  const leases = await connect(flags);
  try {
    const place = await findPlace(leases, flags);
    const [statics, offered] = await Promise.all([
      leases.secrets(place.project, place.config),
      leases.offered(place.project, place.config),
    ]);
    return await act({ leases, place, statics, offered });
  } finally {
    await leases.close();
  }
}
