/** A credential with an end, as it was handed to whoever asked for it. All instants in milliseconds of the epoch. */
export interface Credential {
  /** Of its lease. */
  readonly id: string;
  readonly role: string;
  readonly password: string;
  /** Before this it must not be touched. */
  readonly notBefore: number;
  /** From then on it is late. */
  readonly expiresAt: number;
}

/** One of the systems that are compared. */
export interface Party {
  readonly name: string;
  /** The names of its roles begin with one of these. */
  readonly rolePrefixes: readonly string[];
  /** As PostgreSQL knows its connections; the other party's have another name. */
  readonly application: string;
  /** Makes a credential that lives for so many whole seconds. */
  issue(ttlSeconds: number): Promise<Credential>;
  /** Over its HTTP API, with a TTL that is not over meanwhile. Answers the id of the lease. */
  lease(): Promise<string>;
  /** Ends a lease, and resolves when the provider has confirmed it. */
  revoke(id: string): Promise<void>;
  /** What else its HTTP API is asked meanwhile. */
  readonly question: { readonly name: string; ask(): Promise<void> };
  /** CPU seconds of its processes so far, by their names; null: the system does not tell. */
  cpuSeconds(): Promise<CpuSeconds>;
  /** Closes what was opened to ask it. */
  close(): Promise<void>;
}

export type CpuSeconds = Readonly<Record<string, number | null>>;
