/**
 * Reads the streams of the three dialects: enough to show an answer as it comes. What carries no text is left alone.
 *
 * @typedef {import("./shapes.js").Piece} Piece
 * @typedef {{pieces: Piece[], failure: string, ended: boolean}} Read  `failure`: what an error event says
 */

/** @type {Record<string, (state: Reader, data: any) => void>} */
const DIALECTS = { chat, messages, responses };

/** Events of one stream in, pieces out. */
export class Reader {
  /** @param {string} dialect chat, messages or responses */
  constructor(dialect) {
    this._dialect = DIALECTS[dialect];
    if (!this._dialect) throw new TypeError(`no such dialect: ${dialect}`);
    /** @type {Piece[]} */
    this.pieces = [];
    this.failure = "";
    this.ended = false;
    /** @type {Map<string, string>} names of tools, by where they were announced */
    this.names = new Map();
  }

  /** @param {import("./sse.js").ServerEvent} event @returns {Read} */
  read({ data }) {
    this.pieces = [];
    if (data.trim() === "[DONE]") this.ended = true;
    else this._dialect(this, parsed(data));
    return this;
  }

  /** @param {number} part @param {Piece["kind"]} kind @param {unknown} text @param {string} [name] */
  say(part, kind, text, name = "") {
    if (typeof text === "string" && text) this.pieces.push({ part, kind, text, name });
  }

  /** @param {any} error */
  fail(error) {
    const said = typeof error === "string" ? error : error?.message;
    this.failure = said || "The provider reported an error, and did not say which.";
  }
}

const TOOLS = 1000; // chat numbers its tool calls from 0, beside its text

/** @param {Reader} state @param {any} data */
function chat(state, data) {
  if (data.error) return state.fail(data.error);
  for (const choice of data.choices ?? []) {
    if (choice.index) continue; // of several answers, the first
    const delta = choice.delta ?? {};
    state.say(0, "reasoning", delta.reasoning_content ?? delta.reasoning);
    state.say(0, "text", delta.content ?? choice.text);
    state.say(0, "refusal", delta.refusal);
    for (const call of delta.tool_calls ?? []) named(state, TOOLS + (call.index ?? 0), call.function?.name, call.function?.arguments);
  }
}

/** @param {Reader} state @param {any} data */
function messages(state, data) {
  const { type, index = 0, delta = {} } = data;
  if (type === "error") state.fail(data.error);
  else if (type === "message_stop") state.ended = true;
  else if (type === "content_block_start" && data.content_block?.name) named(state, index, data.content_block.name, "");
  else if (delta.type === "text_delta") state.say(index, "text", delta.text);
  else if (delta.type === "thinking_delta") state.say(index, "reasoning", delta.thinking);
  else if (delta.type === "input_json_delta") named(state, index, "", delta.partial_json);
}

/** @type {Record<string, Piece["kind"]>} */
const RESPONSE_DELTAS = {
  "response.output_text.delta": "text",
  "response.refusal.delta": "refusal",
  "response.reasoning_text.delta": "reasoning",
  "response.reasoning_summary_text.delta": "reasoning",
};

/** @param {Reader} state @param {any} data */
function responses(state, data) {
  const { type = "", output_index: index = 0 } = data;
  if (type === "error") state.fail(data.error ?? data);
  else if (type === "response.failed") state.fail(data.response?.error);
  else if (type === "response.completed" || type === "response.incomplete") state.ended = true;
  else if (type === "response.output_item.added" && data.item?.name) named(state, index, data.item.name, "");
  else if (type === "response.function_call_arguments.delta" || type === "response.custom_tool_call_input.delta") {
    named(state, index, "", data.delta);
  } else if (RESPONSE_DELTAS[type]) state.say(index, RESPONSE_DELTAS[type], data.delta);
}

/** A tool call: its name comes once, its arguments in pieces. */
function named(/** @type {Reader} */ state, /** @type {number} */ part, name = "", text = "") {
  const key = String(part);
  if (name) state.names.set(key, name);
  if (name && !text) state.pieces.push({ part, kind: "tool", text: "", name });
  state.say(part, "tool", text, state.names.get(key) ?? "");
}

/** @param {string} data @returns {any} */
function parsed(data) {
  try {
    return JSON.parse(data) ?? {};
  } catch {
    return {}; // what is no JSON carries no text
  }
}
