/**
 * The shapes of what the API answers, for readers and editors; nothing here runs. Spans are µs, money is US dollars,
 * `started_at` is seconds since the epoch, null is "not known".
 *
 * @typedef {{part: "text" | "reasoning" | "refusal" | "tool_call" | "tool_result" | "media" | "opaque",
 *   text?: string, name?: string, arguments?: string, kind?: string, id?: string, call_id?: string, parts?: Part[],
 *   is_error?: boolean, media_type?: string, size?: number, ref?: string, type?: string, raw?: string,
 *   encrypted?: string}} Part
 * @typedef {{role: string, parts: Part[]}} Message
 * @typedef {{part: number, kind: "text" | "reasoning" | "tool" | "refusal", text: string, name?: string}} Piece
 *
 * @typedef {{id: string, started_at: number, provider: string, model: string, requested_model: string,
 *   dialect: string, operation: string, stream: boolean, client: string, attempt: number,
 *   phase: "waiting" | "streaming" | "ended", elapsed_us: number, ttft_us: number | null,
 *   output_tokens: number | null, estimated: boolean, tokens_per_second: number | null, outcome: string | null,
 *   status: number | null, cost: number | null}} Call
 *
 * @typedef {{number: number, provider: string, model: string, status: number | null, outcome: string | null,
 *   error: string | null, stale: number | boolean, connect_us: number | null, ttfb_us: number | null,
 *   duration_us: number | null, bytes_in: number, endpoint: number | null, input_tokens: number | null,
 *   output_tokens: number | null, cost: number | null}} Attempt
 *
 * @typedef {{id: string, seq: number, started_at: number, provider: string, kind: string, dialect: string,
 *   operation: string, requested_model: string, model: string, stream: number | boolean, status: number | null,
 *   outcome: string | null, error: string | null, input_tokens: number | null, output_tokens: number | null,
 *   cache_read_tokens: number | null, cache_write_tokens: number | null, reasoning_tokens: number | null,
 *   cost: number | null, price_source: string | null, ttft_us: number | null, duration_us: number | null,
 *   finish_reason: string | null, client: string | null, conversation: string, snippet: string}} Row
 *
 * @typedef {Row & {bytes_in: number, bytes_out: number, connect_us: number | null, ttfb_us: number | null,
 *   prompt_us: number | null, decode_us: number | null, overhead_us: number | null, who_ended: string | null,
 *   request_id_upstream: string | null, rescued: number | boolean, attempts: Attempt[], messages: Message[],
 *   answer: Message | null, dropped: string[], same_conversation: {id: string, started_at: number}[],
 *   siblings: string[], resend: {possible: boolean, complete: boolean, missing: string[]}}} Exchange
 *
 * @typedef {{input: number | null, output: number | null, cache_read: number | null, cache_write: number | null,
 *   source: string}} Price
 * @typedef {{name: string, provider: string, kind: string, state: string, context: number | null,
 *   modalities: string[], price: Price | null, alias_of: string | null, local: boolean}} Model
 *
 * @typedef {{server?: number, probe?: {found: string, seconds_ago: number, latency_ms: number,
 *   slots?: {total: number, busy: number}} | null,
 *   calls?: {in_flight: number, limit: number | null, queued: number, room: number}}} Server
 * @typedef {{server?: number, state: string, cause: string, wait_seconds: number, openings: number,
 *   failures: Record<string, number>}} Breaker
 * @typedef {{name: string, kind: string, state: string, key: "configured" | "missing" | "not_needed",
 *   variable: string | null, hint: string, dialects: string[], breakers: Breaker[], endpoints: Server[],
 *   in_flight: number}} Provider
 * @typedef {{name: string, about: string, lines: string[]}} Client
 *
 * @typedef {{exchanges: number, ok: number, failed: number, input_tokens: number, output_tokens: number,
 *   cache_read_tokens: number, cost: number, unpriced: number}} Sums
 * @typedef {Sums & {day: string, key: string}} DayRow
 * @typedef {{key: string, p50: number, p95: number, p99: number, count: number}} Spread
 * @typedef {{days: DayRow[], total: Sums,
 *   spreads: {ttft: Spread[], duration: Spread[], tokens_per_second: Spread[]}}} Numbers
 */

export {};
