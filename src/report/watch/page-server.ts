import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CharnnError } from "../../errors.js";
import { systemErrorCode } from "../../system-error-code.js";
import { EventReaders } from "./event-readers.js";

/** Nothing beyond this machine can reach it. */
const HOST = "127.0.0.1";
/** Bytes of the token: nobody guesses 192 bits. */
const TOKEN_BYTES = 24;

/** What costs memory is bounded, no matter who connects. */
const MAX_CONNECTIONS = 1_024;
const MAX_PAGES = 32;
const MAX_HEADERS = 100;
const MAX_HEADER_BYTES = 16 * 1024;
/** Milliseconds in which a request must have come, and in which a page must have been taken. */
const REQUEST_TIME = 5_000;
const PAGE_TIME = 30_000;
const TIME_BETWEEN_CHECKS = 1_000;

const HEADERS = {
  "cache-control": "no-store",
  // Nobody is sent the address, which has the token.
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "frame-ancestors 'none'",
};

/** What a server shows. */
export interface Served {
  page(): Promise<Buffer>;
  /** An event with all that an open page shows. */
  whole(): Buffer;
}

/**
 * Serves one page and its events on this machine, to anyone who knows the token in its address: all users of the
 * machine can reach the port. It answers to its own name only, so that no page from elsewhere can reach it by a
 * name that points here (DNS rebinding). A connection is for one request.
 */
export class PageServer {
  readonly readers = new EventReaders();
  readonly #token = randomBytes(TOKEN_BYTES).toString("base64url");
  /** Tokens that are good for one request each, which leads to the page. */
  readonly #tickets = new Set<string>();
  readonly #served: Served;
  readonly #server: Server;
  #pages = 0;

  constructor(served: Served) {
    this.#served = served;
    const limits = {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_TIME,
      requestTimeout: REQUEST_TIME,
      connectionsCheckingInterval: TIME_BETWEEN_CHECKS,
    };
    this.#server = createServer(limits, (request, response) => this.#answer(request, response));
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.maxHeadersCount = MAX_HEADERS;
    this.#server.maxRequestsPerSocket = 1;
    this.#server.on("dropRequest", (_, socket) => socket.destroy());
  }

  /**
   * @param port 0 takes one that is free
   * @returns the page's address, token included
   * @throws CharnnError `INVALID_SETTING` for a port that is taken
   */
  async listen(port: number): Promise<string> {
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause) => reject(notListening(port, cause)));
      server.listen(port, HOST, resolve);
    });
    const { port: taken } = server.address() as AddressInfo;
    return `http://${HOST}:${taken}/?token=${this.#token}`;
  }

  /**
   * Another address of the page, which leads to it once: for a program whose arguments all users of the machine
   * can see.
   *
   * @param address as {@link listen} gives it
   */
  addressForOnce(address: string): string {
    const ticket = randomBytes(TOKEN_BYTES).toString("base64url");
    this.#tickets.add(ticket);
    return new URL(`/?once=${ticket}`, address).href;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    response.setHeader("connection", "close");
    const [path, query] = (request.url ?? "").split("?", 2);
    if (!isOurs(request)) {
      refuse(response, 403, "Only this machine may ask, by its own name.");
    } else if (request.method === "GET" && path === "/" && this.#takesTicket(query)) {
      response.writeHead(303, { location: `/?token=${this.#token}` }).end();
    } else if (!this.#hasToken(query)) {
      refuse(response, 403, "The address lacks the token that the command has printed.");
    } else if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      refuse(response, 405, "Only GET requests are allowed.");
    } else if (path === "/") {
      void this.#sendPage(response);
    } else if (path === "/events" && request.method === "HEAD") {
      response.writeHead(200, { "content-type": "text/event-stream" }).end();
    } else if (path === "/events") {
      this.#addReader(response);
    } else {
      refuse(response, 404, "There is nothing else here.");
    }
  }

  #hasToken(query: string | undefined): boolean {
    const given = new URLSearchParams(query).get("token") ?? "";
    // Of one length, and compared in a time that says nothing.
    return timingSafeEqual(sha256(given), sha256(this.#token));
  }

  /** Whether a request has a ticket, which is used up by it. */
  #takesTicket(query: string | undefined): boolean {
    return this.#tickets.delete(new URLSearchParams(query).get("once") ?? "");
  }

  async #sendPage(response: ServerResponse): Promise<void> {
    if (this.#pages >= MAX_PAGES) return refuseForNow(response);
    this.#pages++;
    const patience = setTimeout(() => response.destroy(), PAGE_TIME);
    response.on("close", () => {
      clearTimeout(patience);
      this.#pages--;
    });
    try {
      const page = await this.#served.page();
      const type = "text/html; charset=utf-8";
      response.writeHead(200, { "content-type": type, "content-length": page.length }).end(page);
    } catch (error) {
      refuse(response, 500, error instanceof CharnnError ? error.message : String(error));
    }
  }

  #addReader(response: ServerResponse): void {
    if (this.readers.isFull) refuseForNow(response);
    else this.readers.add(response, this.#served.whole(), performance.now());
  }
}

/** Whether a request was made of this machine by a name that only it has. */
function isOurs({ headers: { host }, socket }: IncomingMessage): boolean {
  return [HOST, "localhost"].some((name) => host === `${name}:${socket.localPort}`);
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${reason}\n`);
}

function refuseForNow(response: ServerResponse): void {
  response.setHeader("retry-after", "5");
  refuse(response, 503, "Too many read this at a time. Close some of these pages, or try again.");
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function notListening(port: number, cause: unknown): CharnnError {
  const code = systemErrorCode(cause) ?? "";
  const reason = code === "EADDRINUSE" ? "is taken" : `can't be listened at (${code})`;
  return new CharnnError(
    "INVALID_SETTING",
    `port ${port} ${reason}.`,
    "Leave it out, for a free one.",
    { setting: "port", cause },
  );
}
