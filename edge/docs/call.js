// Calls an operation from the page, with the token above. Nothing is stored.

import { el, language, words } from "./words.js";
import { sample } from "./schema.js";

const token = () => document.getElementById("token");

function input(parameter) {
  const example = parameter.in === "path" ? (parameter.schema.examples || [""])[0] : "";
  return el("label", {}, `${parameter.name}${parameter.required ? " *" : ""}`,
    el("input", { name: parameter.name, "data-in": parameter.in, placeholder: example, required: parameter.required }));
}

function address(form, path) {
  const query = new URLSearchParams();
  for (const each of form.querySelectorAll("input[data-in]")) {
    if (each.dataset.in === "path") path = path.replace(`{${each.name}}`, encodeURIComponent(each.value));
    else if (each.value) query.append(each.name, each.value);
  }
  return query.size ? `${path}?${query}` : path;
}

async function send(form, operation, shown) {
  const headers = { "accept-language": language() };
  // An empty list of requirements means that the operation needs no token.
  if (token().value && operation.security?.length !== 0) headers.authorization = `Bearer ${token().value}`;
  const body = form.querySelector("textarea");
  if (body) headers["content-type"] = "application/json";
  shown.className = "answer";
  shown.replaceChildren(words().calling);
  const began = performance.now();
  try {
    const answer = await fetch(address(form, operation.path), { method: operation.verb.toUpperCase(), headers, body: body?.value, cache: "no-store" });
    show(shown, answer, await answer.text(), Math.round(performance.now() - began));
  } catch (fault) {
    shown.replaceChildren(words().failed, fault.message);
  }
}

function show(shown, answer, text, milliseconds) {
  let told = text;
  try {
    const content = JSON.parse(text);
    told = JSON.stringify(content, null, 2);
    if (answer.ok && content.access_token) token().value = content.access_token;
  } catch { /* What is no JSON is shown as it came. */ }
  if (!answer.ok) shown.classList.add("refused");
  shown.replaceChildren(el("p", {}, el("strong", {}, `${answer.status}`), ` · ${milliseconds} ms`), el("pre", {}, told));
}

export function form(operation) {
  const shown = el("div", { class: "answer", "aria-live": "polite" });
  const body = operation.requestBody?.content["application/json"].schema;
  const made = el("form", { class: "try" }, (operation.parameters || []).map(input),
    body ? el("label", { class: "wide" }, words().body, el("textarea", { spellcheck: "false" })) : null,
    el("button", { class: "call" }, words().call), shown);
  if (body) made.querySelector("textarea").value = JSON.stringify(sample(body), null, 2);
  made.addEventListener("submit", (event) => { event.preventDefault(); send(made, operation, shown); });
  return made;
}
