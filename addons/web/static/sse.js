/**
 * Server-sent events out of a fetched response: unlike EventSource it can POST, and it shows what an error says.
 *
 * @typedef {{event: string, data: string}} ServerEvent
 */

/**
 * The events of a response, as they come. Ends when the response ends; throws what the response throws.
 *
 * @param {Response} response
 * @returns {AsyncGenerator<ServerEvent>}
 */
export async function* events(response) {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const decoder = new Decoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* decoder.feed(value);
    }
  } finally {
    reader.cancel().catch(() => {}); // whoever stops reading closes the connection
  }
}

/** Text in pieces of any size → events, as the WHATWG standard has it. */
export class Decoder {
  constructor() {
    this._rest = "";
    this._event = "";
    /** @type {string[]} */
    this._data = [];
  }

  /** @param {string} text @returns {Generator<ServerEvent>} */
  *feed(text) {
    this._rest += text;
    // A CR at the end may be half of a CR LF: it waits for what follows.
    const ready = this._rest.match(/^[^]*(?:\r\n|\n|\r(?=[^\n]))/)?.[0] ?? "";
    this._rest = this._rest.slice(ready.length);
    for (const line of ready.split(/\r\n|\n|\r/).slice(0, -1)) {
      const event = this._take(line);
      if (event) yield event;
    }
  }

  /** @param {string} line @returns {ServerEvent | null} */
  _take(line) {
    if (line === "") return this._dispatch();
    const [, field, value] = /** @type {RegExpMatchArray} */ (line.match(/^([^:]*)(?:: ?)?([^]*)$/));
    if (field === "data") this._data.push(value);
    else if (field === "event") this._event = value;
    return null;
  }

  /** @returns {ServerEvent | null} */
  _dispatch() {
    const event = this._data.length ? { event: this._event || "message", data: this._data.join("\n") } : null;
    this._event = "";
    this._data = [];
    return event;
  }
}
