/** Providers: who can be asked, what keeps the others away, and how clients are plugged in. */

import { ask, isAbort } from "./api.js";
import { stateBadge, tag, toneBadge } from "./badges.js";
import { copyable } from "./copy.js";
import { el, fill } from "./dom.js";
import { facts } from "./facts.js";
import { pause } from "./feed.js";
import { count, span } from "./format.js";
import { empty, failed, waiting } from "./notice.js";

/** @typedef {import("./shapes.js").Provider} Provider */

const AGAIN = 5000; // ms
/** @type {Record<Provider["key"], [tone: "good" | "warn" | "calm", word: string]>} */
const KEYS = { configured: ["good", "key configured"], missing: ["warn", "key missing"], not_needed: ["calm", "no key needed"] };

/** What a probe found, in words. @type {Record<string, (time: string) => string>} */
const FOUND = {
  well: (time) => `answers in ${time}`,
  loading: () => "is loading its model",
  failing: () => "answers with an error",
  silent: () => "does not answer in time",
  away: () => "cannot be reached",
};

/** @type {import("./main.js").View} */
export const providers = {
  name: "providers",
  title: "Providers",
  async show({ place, signal }) {
    fill(place, el("h1", {}, "Providers"), waiting());
    const first = await ask("providers", {}, signal);
    const cards = el("div", { class: "cards" });
    const problem = el("div", {});
    fill(place, el("h1", {}, "Providers"), problem, cards, clients(first.clients));
    let shown = "";
    const show = (/** @type {Provider[]} */ all) => {
      const now = JSON.stringify(all);
      // Whoever is in the middle of copying or reading a detail keeps what is under the cursor.
      if (now === shown || cards.contains(document.activeElement)) return;
      shown = now;
      fill(cards, ...(all.length ? all.map(card) : [nobody()]));
    };
    show(first.providers);
    while (!signal.aborted) {
      await pause(AGAIN, signal);
      if (signal.aborted || document.hidden) continue;
      try {
        show((await ask("providers", {}, signal)).providers);
        fill(problem);
      } catch (error) {
        if (!isAbort(error)) fill(problem, failed(/** @type {Error} */ (error)));
      }
    }
  },
};

function nobody() {
  return empty("No providers", el("p", {}, "Start llama-server, or set a key such as ANTHROPIC_API_KEY in the environment."));
}

/** @param {Provider} provider */
function card(provider) {
  const [tone, word] = KEYS[provider.key];
  return el(
    "section",
    { class: "card", "aria-label": provider.name },
    el("div", { class: "head" }, el("h2", {}, provider.name), stateBadge(provider.state), toneBadge(tone, word)),
    provider.hint && el("p", { class: "warn-line" }, provider.hint),
    facts([
      ["Kind", provider.kind],
      ["Key from", provider.variable ? el("code", {}, provider.variable) : "none"],
      ["Speaks", provider.dialects.map((one) => tag(one))],
      ["In flight", count(provider.in_flight)],
    ]),
    servers(provider),
    breakers(provider),
  );
}

/** @param {Provider} provider */
function servers({ endpoints }) {
  const told = endpoints.filter((one) => one.probe || one.calls);
  if (!told.length) return null;
  return el("ul", { class: "plain" }, told.map((one) => el("li", {}, `${one.server ? `Server ${one.server}: ` : ""}${aboutServer(one)}`)));
}

/** @param {import("./shapes.js").Server} server */
function aboutServer({ probe, calls }) {
  const said = [];
  if (probe) said.push(FOUND[probe.found]?.(span(probe.latency_ms * 1000)) ?? probe.found);
  if (probe?.slots) said.push(`${count(probe.slots.busy)} of ${count(probe.slots.total)} slots busy`);
  if (calls) said.push(calls.limit === null ? `${count(calls.in_flight)} calls` : `${count(calls.in_flight)} of ${count(calls.limit)} calls`);
  if (calls?.queued) said.push(`${count(calls.queued)} waiting`);
  return said.join(", ");
}

/** @param {Provider} provider */
function breakers({ breakers: all }) {
  const told = all.filter((one) => one.state !== "closed" || one.openings);
  if (!told.length) return el("p", { class: "beside" }, "Breaker: closed, calls pass.");
  return el("ul", { class: "plain" }, told.map((one) => el("li", {}, "Breaker ", stateBadge(one.state), aboutBreaker(one))));
}

/** @param {import("./shapes.js").Breaker} breaker */
function aboutBreaker({ server, cause, wait_seconds: wait, openings }) {
  const said = [];
  if (server) said.push(`server ${server}`);
  if (cause) said.push(`cause: ${cause.replaceAll("_", " ")}`);
  if (wait > 0) said.push(`next try in ${span(wait * 1e6)}`);
  if (openings > 1) said.push(`opened ${count(openings)} times in a row`);
  return said.length ? ` ${said.join(", ")}` : "";
}

/** @param {import("./shapes.js").Client[]} all */
function clients(all) {
  return el(
    "section",
    { "aria-label": "Plug in a client" },
    el("h2", {}, "Plug in a client"),
    el("p", { class: "beside" }, "The key that a client sends can be anything: Patchbay puts the provider's own key in its place."),
    el(
      "div",
      { class: "cards clients" },
      all.map((one) =>
        el("section", { class: "card", "aria-label": one.name }, el("h3", {}, one.name), el("p", { class: "beside" }, one.about), copyable(one.lines, `lines for ${one.name}`)),
      ),
    ),
  );
}
