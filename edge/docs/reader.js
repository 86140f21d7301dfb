// Shows openapi.json: a list of operations that can be searched, and one operation at a time.

import { form } from "./call.js";
import { resolve, row, summary, table, use } from "./schema.js";
import { choose, el, inline, language, prose, words } from "./words.js";

const $ = (id) => document.getElementById(id);
let description = null;
let operations = [];

function collect(paths) {
  const found = Object.entries(paths).flatMap(([path, verbs]) =>
    Object.entries(verbs).map(([verb, operation]) => ({ ...operation, path, verb })));
  for (const operation of found) {
    operation.same = found.filter((other) => other !== operation && other["x-medhub-method"] === operation["x-medhub-method"]);
    const policy = operation["x-medhub-policy"];
    const reasons = Object.values(operation.responses).flatMap((answer) => (answer["x-medhub-reasons"] || []).map((each) => each.reason));
    operation.text = [operation.path, operation.operationId, operation.description, policy.permission, ...reasons].join(" ").toLowerCase();
  }
  return found.filter((operation) => !/_\d+$/.test(operation.operationId));
}

const nameOf = (operation) => operation.operationId.split("_")[1];

function list() {
  const wanted = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = operations.filter((operation) => wanted.every((word) => operation.text.includes(word)));
  const current = location.hash.slice(1);
  const groups = description.tags.map((tag) => [tag, found.filter((operation) => operation.tags[0] === tag.name)]);
  $("count").textContent = found.length ? words().found(found.length) : words().nothing;
  $("operations").replaceChildren(...groups.filter(([, members]) => members.length).map(([tag, members]) =>
    el("section", {}, el("h2", {}, tag.name.replace("medhub.", "")), el("ul", {}, members.map((operation) =>
      el("li", {}, el("a", { href: `#${operation.operationId}`, "aria-current": operation.operationId === current && "page" },
        el("span", { class: `verb ${operation.verb}` }, operation.verb.toUpperCase()), nameOf(operation))))))));
}

function chips(policy) {
  const told = words().policy;
  const access = policy.access === "require" ? el("code", {}, policy.permission) : "";
  const facts = [
    [told.link, policy.link], [told.freshness, policy.freshness], [told.audit, policy.audit],
    [told.idempotency, policy.idempotency], [told.deadline, `${policy.deadline_seconds} s`],
    [told.assurance, policy.assurance?.level], [told.break_glass, policy.break_glass && "✓"],
  ].filter(([, value]) => value && value !== "NONE" && value !== "UNSPECIFIED");
  return el("ul", { class: "chips" }, el("li", { class: "strong" }, words().access[policy.access], " ", access),
    facts.map(([name, value]) => el("li", {}, el("span", {}, `${name} `), String(value).toLowerCase().replaceAll("_", " "))));
}

function refusals(responses) {
  const rows = Object.entries(responses).flatMap(([status, answer]) => (resolve(answer)["x-medhub-reasons"] || []).map((each) =>
    el("tr", {}, el("td", {}, status), el("td", {}, el("code", {}, each.reason), el("span", { class: "type" }, each.code)),
      el("td", { lang: language() }, each.texts[language()]), el("td", {}, each.metadata.map((key) => el("code", {}, key))))));
  const heads = [words().status, words().reason, words().text, words().metadata].map((text) => el("th", { scope: "col" }, text));
  return el("table", {}, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows));
}

function page(operation) {
  const policy = operation["x-medhub-policy"];
  const body = operation.requestBody?.content["application/json"].schema;
  const answer = operation.responses["200"].content["application/json"].schema;
  return [
    el("h1", {}, nameOf(operation)),
    el("p", { class: "soft" }, `${words().grpc} `, el("code", {}, operation["x-medhub-method"])),
    el("div", { class: "path" }, el("span", { class: `verb ${operation.verb}` }, operation.verb.toUpperCase()), operation.path),
    operation.same.map((other) => el("p", { class: "soft" }, `${words().alternatives} `, el("code", {}, `${other.verb.toUpperCase()} ${other.path}`))),
    chips(policy), policy.reason ? el("p", { class: "soft" }, policy.reason) : null,
    prose(operation.description),
    operation.parameters ? [el("h2", {}, words().parameters), el("table", {}, el("tbody", {},
      operation.parameters.map((each) => row(each.name, { ...each.schema, description: each.description }, each.required))))] : null,
    body ? [el("h2", {}, words().body), table(body)] : null,
    el("h2", {}, words().tryIt), form(operation),
    el("h2", {}, words().answer), table(answer),
    el("h2", {}, words().refusals), refusals(operation.responses),
  ];
}

function welcome() {
  const login = operations.find((operation) => operation.operationId === "AuthService_Login");
  return [
    el("h1", {}, `${description.info.title} API`), prose(description.info.description),
    el("p", {}, el("a", { href: "/api/openapi.json" }, words().raw)),
    login ? [el("h2", {}, words().start), el("p", {}, words().startText), form(login)] : null,
    el("h2", {}, words().services),
    description.tags.map((tag) => el("details", {}, el("summary", {}, summary(`\`${tag.name}\``)), prose(tag.description))),
  ];
}

function render(moved) {
  const wanted = location.hash.slice(1);
  const operation = operations.find((each) => each.operationId === wanted);
  const shown = operation ? page(operation) : wanted && wanted !== "main" ? [el("p", {}, words().missing)] : welcome();
  document.documentElement.lang = language();
  document.title = operation ? `${nameOf(operation)} · medhub API` : "medhub API";
  for (const each of document.querySelectorAll("[data-word]")) each.textContent = words()[each.dataset.word];
  for (const each of document.querySelectorAll("[data-language]")) each.setAttribute("aria-pressed", each.dataset.language === language());
  $("search").placeholder = words().search;
  $("main").replaceChildren(...shown.flat(9).filter(Boolean));
  list();
  if (moved) { scrollTo(0, 0); $("main").focus({ preventScroll: true }); }
}

async function begin() {
  try {
    description = await (await fetch("/api/openapi.json")).json();
  } catch (fault) {
    $("main").replaceChildren(el("p", {}, inline(words().loading), fault.message));
    return;
  }
  use(description);
  operations = collect(description.paths);
  $("version").textContent = description.info.version;
  $("search").addEventListener("input", list);
  addEventListener("hashchange", () => render(true));
  for (const each of document.querySelectorAll("[data-language]")) each.addEventListener("click", () => { choose(each.dataset.language); render(false); });
  render(false);
}

begin();
