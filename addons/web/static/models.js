/** Models: everything that a client may write into `model`, local and external as one list. */

import { ask, isAbort } from "./api.js";
import { measure, stateBadge, tag } from "./badges.js";
import { copyButton } from "./copy.js";
import { el, fill } from "./dom.js";
import { count, price } from "./format.js";
import { pause } from "./feed.js";
import { empty, failed, waiting } from "./notice.js";
import { link, replace } from "./router.js";
import { choice, searchBox } from "./filters.js";
import { Table } from "./table.js";

/** @typedef {import("./shapes.js").Model} Model */

const AGAIN = 10_000; // ms: models are loaded and unloaded while one looks
const SOURCES = { provider: "as the provider lists it", registry: "as registry.yaml says", "genai-prices": "of genai-prices" };

/** @type {import("./table.js").Column<Model>[]} */
const COLUMNS = [
  { name: "Model", kind: "name", cell: nameOf, key: (m) => m.name + m.alias_of },
  { name: "Provider", cell: (m) => m.provider, key: (m) => m.provider },
  { name: "State", cell: (m) => stateBadge(m.state), key: (m) => m.state },
  { name: "Context", kind: "num", cell: (m) => measure(m.context, count, "The provider does not say"), key: (m) => m.context },
  { name: "Takes", cell: takes, key: (m) => m.modalities.join() },
  { name: "Input / M", kind: "num", cell: (m) => cost(m, "input"), key: (m) => JSON.stringify(m.price) },
  { name: "Output / M", kind: "num", cell: (m) => cost(m, "output"), key: (m) => JSON.stringify(m.price) },
  { name: "Cached / M", kind: "num wide", cell: (m) => cost(m, "cache_read"), key: (m) => JSON.stringify(m.price) },
];

/** @type {import("./main.js").View} */
export const models = {
  name: "models",
  title: "Models",
  async show({ place, route, signal }) {
    fill(place, el("h1", {}, "Models"), waiting());
    /** @type {Model[]} */
    let all = (await ask("models", {}, signal)).models;
    const list = new List(route.query, () => list.show(all));
    fill(place, el("h1", {}, "Models"), list.element);
    list.show(all);
    while (!signal.aborted) {
      await pause(AGAIN, signal);
      if (signal.aborted || document.hidden) continue;
      try {
        all = (await ask("models", {}, signal)).models;
        list.show(all);
      } catch (error) {
        if (!isAbort(error)) list.fail(/** @type {Error} */ (error));
      }
    }
  },
};

/** The list with its search; what is searched stands in the address. */
class List {
  /** @param {URLSearchParams} query @param {() => void} changed */
  constructor(query, changed) {
    const again = () => {
      replace(link(["models"], this._wanted()));
      changed();
    };
    this._search = searchBox("Search models", query.get("search") ?? "", again);
    this._provider = choice("Provider", "All providers", [], query.get("provider") ?? "", again);
    this._count = el("p", { class: "count", role: "status" });
    this._table = new Table("Models", COLUMNS, (m) => `${m.provider} ${m.name}`);
    this._body = el("div", {});
    this._problem = el("div", {});
    const bar = el("div", { class: "filters" }, this._search.element, this._provider.element, this._count);
    this.element = el("div", {}, bar, this._problem, this._body);
  }

  /** @param {Model[]} all */
  show(all) {
    fill(this._problem);
    this._provider.offer([...new Set(all.map((m) => m.provider))].sort());
    const { search, provider } = this._wanted();
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const found = all.filter((m) => (!provider || m.provider === provider) && words.every((word) => haystack(m).includes(word)));
    this._count.textContent = found.length === all.length ? `${count(all.length)} models` : `${count(found.length)} of ${count(all.length)} models`;
    this._table.show(found);
    fill(this._body, found.length ? this._table.element : nothing(all.length));
  }

  /** @param {Error} error */
  fail(error) {
    fill(this._problem, failed(error));
  }

  _wanted() {
    return { search: this._search.value(), provider: this._provider.value() };
  }
}

/** @param {number} all */
function nothing(all) {
  if (all) return empty("No model matches", el("p", {}, "Search for fewer words, or choose all providers."));
  return empty(
    "No models yet",
    el("p", {}, "Start llama-server, or set a provider's key. ", el("a", { href: link(["providers"]) }, "Providers"), " says what is missing."),
  );
}

/** @param {Model} model */
function haystack(model) {
  return `${model.name} ${model.provider} ${model.alias_of ?? ""} ${model.state} ${model.modalities.join(" ")}`.toLowerCase();
}

/** @param {Model} model */
function nameOf(model) {
  const alias = model.alias_of && el("span", { class: "beside" }, "→ ", model.alias_of);
  return [el("span", { class: "mono breakable" }, model.name), copyButton(model.name, `the name ${model.name}`), alias];
}

/** @param {Model} model */
function takes(model) {
  return model.modalities.length ? model.modalities.map((one) => tag(one)) : measure(null, count, "The provider does not say");
}

/** @param {Model} model @param {"input" | "output" | "cache_read"} which */
function cost(model, which) {
  const given = model.price?.[which];
  const whose = SOURCES[/** @type {keyof typeof SOURCES} */ (model.price?.source ?? "")];
  const shown = measure(given, price, "No price is known");
  if (whose && given !== null) shown.title = `US dollars per million tokens, ${whose}`;
  return shown;
}
