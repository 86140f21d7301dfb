// The page's own words. What stands in the contract is shown as it is written there.

const WORDS = {
  en: {
    skip: "Skip to the content", token: "Token", search: "Search: patients, merge, permission, reason…",
    found: (n) => `${n} operations`, start: "Start here", services: "Services",
    startText: "Call Login below with an e-mail address and a password; its access token is then used for the other calls of this page and is forgotten when you leave it.",
    parameters: "Parameters", body: "Request body", answer: "Answer", refusals: "Refusals", tryIt: "Try it",
    call: "Call", calling: "Calling…", failed: "No answer: ", field: "Field", meaning: "Meaning", required: "required",
    readOnly: "set by the server", oneOf: "one of", reason: "Reason", status: "HTTP status", text: "Text", metadata: "Metadata",
    access: { public: "no token needed", self: "own account", require: "permission" },
    policy: { link: "link", freshness: "freshness", audit: "audit", idempotency: "repeat", break_glass: "break-glass", deadline: "deadline", assurance: "assurance level" },
    sealed: "sealed", holds: { PUBLIC: "public", PERSONAL: "personal data", HEALTH: "health data", SECRET: "secret" }, alternatives: "Also at", raw: "The description as OpenAPI 3.1", nothing: "Nothing found.",
    missing: "There is no such operation.", grpc: "gRPC method", loading: "The description cannot be loaded: ",
  },
  fr: {
    skip: "Aller au contenu", token: "Jeton", search: "Chercher : patients, merge, permission, motif…",
    found: (n) => `${n} opérations`, start: "Pour commencer", services: "Services",
    startText: "Appelez Login ci-dessous avec une adresse électronique et un mot de passe ; son jeton d’accès sert ensuite aux autres appels de cette page, qui l’oublie quand vous la quittez.",
    parameters: "Paramètres", body: "Corps de la demande", answer: "Réponse", refusals: "Refus", tryIt: "Essayer",
    call: "Appeler", calling: "Appel en cours…", failed: "Pas de réponse : ", field: "Champ", meaning: "Sens", required: "obligatoire",
    readOnly: "fixé par le serveur", oneOf: "un seul parmi", reason: "Motif", status: "Statut HTTP", text: "Texte", metadata: "Métadonnées",
    access: { public: "sans jeton", self: "son propre compte", require: "permission" },
    policy: { link: "lien", freshness: "fraîcheur", audit: "audit", idempotency: "répétition", break_glass: "bris de glace", deadline: "délai", assurance: "niveau d’authentification" },
    sealed: "scellé", holds: { PUBLIC: "public", PERSONAL: "donnée personnelle", HEALTH: "donnée de santé", SECRET: "secret" }, alternatives: "Aussi à", raw: "La description en OpenAPI 3.1", nothing: "Rien trouvé.",
    missing: "Cette opération n’existe pas.", grpc: "Méthode gRPC", loading: "La description ne peut être lue : ",
  },
};

let chosen = (navigator.language || "en").toLowerCase().startsWith("fr") ? "fr" : "en";

export const language = () => chosen;
export const choose = (name) => { chosen = name in WORDS ? name : "en"; };
export const words = () => WORDS[chosen];

// An element with attributes and children; text stays text, so nothing of an answer is ever run.
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

// Paragraphs and `code`, as comments of the contract use them.
export function prose(text) {
  return (text || "").split("\n\n").filter(Boolean).map((paragraph) => el("p", {}, inline(paragraph)));
}

export function inline(text) {
  return text.split("`").map((piece, at) => (at % 2 ? el("code", {}, piece) : piece));
}
