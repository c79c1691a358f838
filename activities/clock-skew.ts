/** Allowance for the provider's clock. By this much the provider-side expiry comes after the lease's last possible end. */
export const CLOCK_SKEW_MS = 10 * 60_000;
