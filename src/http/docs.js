"use strict";

// Starts the page of the API. It asks no other host.

const SIGN_IN = "/v1/auth/token";

window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    layout: "StandaloneLayout",
    plugins: [SwaggerUIBundle.plugins.DownloadUrl, signInToATenant],
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    requestInterceptor: completed,
    tryItOutEnabled: true,
    validatorUrl: "none",
  });
};

// Fills in what a change needs and nobody can type: a key of its own, and the state it builds on.
async function completed(request) {
  // The document itself is asked for without a method.
  const method = (request.method ?? "GET").toUpperCase();
  const url = new URL(request.url, window.location.href);
  if (!["PUT", "POST"].includes(method) || url.pathname === SIGN_IN) {
    return request;
  }
  const headers = { ...request.headers };
  if (!given(headers, "Idempotency-Key")) {
    headers["Idempotency-Key"] = newKey();
  }
  const state = stateOf(method, url);
  if (state && !given(headers, "If-Match") && !given(headers, "If-None-Match")) {
    const known = await fetch(state, { headers: { Authorization: headers.Authorization ?? "" } });
    if (known.ok && known.headers.get("ETag")) {
      headers["If-Match"] = known.headers.get("ETag");
    } else if (known.status === 404 && method === "PUT") {
      headers["If-None-Match"] = "*";
    }
  }
  request.headers = headers;
  return request;
}

// Where the state is read on which a change builds, if it builds on any.
function stateOf(method, { pathname, search }) {
  if (method === "PUT") {
    return pathname + search;
  }
  const steps = pathname.match(/^(.*\/submission)\/[a-z]+$/) ?? pathname.match(/^(.*)\/undo$/);
  return steps ? steps[1] : null;
}

function given(headers, wanted) {
  return Object.entries(headers).some(
    ([name, value]) => name.toLowerCase() === wanted.toLowerCase() && value,
  );
}

// Of random digits: on a plain http address browsers offer no UUIDs.
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Takes the place of the usual form for a password, which has no field for the tenant.
function signInToATenant(system) {
  const element = system.React.createElement;
  const field = (name, label, type) =>
    element(
      "div",
      { key: name, className: "wrapper" },
      element("label", { htmlFor: `sign-in-${name}` }, label),
      element("input", { id: `sign-in-${name}`, name, type, autoComplete: name }),
    );
  const form = () =>
    element(
      "form",
      { onSubmit: signIn },
      element("h4", null, "Đăng nhập / Sign in"),
      field("tenant", "Hệ thống / Tenant", "text"),
      field("username", "Tên đăng nhập / Login", "text"),
      field("password", "Mật khẩu / Password", "password"),
      element("p", { className: "sign-in-outcome" }),
      element(
        "div",
        { className: "auth-btn-wrapper" },
        element("button", { type: "submit", className: "btn modal-btn auth" }, "Đăng nhập / Sign in"),
      ),
    );
  return { wrapComponents: { oauth2: () => form } };
}

async function signIn(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const fields = new URLSearchParams(new FormData(form));
  fields.set("grant_type", "password");
  // The only tenant of a service need not be named.
  if (!fields.get("tenant")) {
    fields.delete("tenant");
  }
  const answer = await fetch(SIGN_IN, { method: "POST", body: fields });
  const body = await answer.json();
  const outcome = form.querySelector(".sign-in-outcome");
  if (answer.ok) {
    window.ui.preauthorizeApiKey("token", body.access_token);
    outcome.textContent = "Đã đăng nhập. / Signed in.";
  } else {
    outcome.textContent = body.detail;
  }
}
