package auth

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"carbongraph/internal/fault"
)

// Cookie is the name of the console's session cookie.
const Cookie = "cg_session"

// Door lets requests in: by key, by JWT, or by the session that a key was traded for.
type Door struct {
	Keys     *Keys
	Tokens   *Tokens // nil: JWTs are not accepted
	Sessions *Sessions
	// Refuse answers a sign-in that failed.
	Refuse Refuse
}

// Refuse writes the answer of a refused request: its status and its body. The challenge, or how long to wait, is already in the headers.
type Refuse func(http.ResponseWriter, *http.Request, error)

// Require lets those in who show who they are, and puts their Viewer in the context. Everybody else gets what refuse writes.
func (d *Door) Require(next http.Handler, refuse Refuse) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := d.viewer(r)
		if err != nil {
			challenge(w, r, err)
			refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(With(r.Context(), v)))
	})
}

// Invite lets those in as Require does, and those too who show nothing yet. It is for WebSockets: a browser sends no headers of a page's choice with them, so that
// the page may say in the first message who asks.
func (d *Door) Invite(next http.Handler, refuse Refuse) http.Handler {
	known := d.Require(next, refuse)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if shows(r) {
			known.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// shows tells whether a request shows anything that says who asks.
func shows(r *http.Request) bool {
	_, err := r.Cookie(Cookie)
	return err == nil || len(r.Header["Authorization"]) > 0
}

// Who tells who is at the other end of a stream: by the value that stands in the header Authorization elsewhere, or, where it is empty, by the stream's request.
func (d *Door) Who(r *http.Request, authorization string) (*Viewer, error) {
	if authorization == "" {
		return d.viewer(r)
	}
	return d.bearer(r.Context(), []string{authorization})
}

// challenge says how to get in, as RFC 6750 has it, and after which time.
func challenge(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.Of(err)
	if wait := f.RetryAfter(); wait != "" {
		w.Header().Set("Retry-After", wait)
	}
	if f.Code != fault.Unauthenticated {
		return
	}
	says := `Bearer realm="carbongraph"`
	if token, err := bearer(r.Header.Values("Authorization")); err == nil && token != "" {
		says += `, error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", says)
}

// viewer tells who asks. A header goes before the cookie.
func (d *Door) viewer(r *http.Request) (*Viewer, error) {
	if headers := r.Header.Values("Authorization"); len(headers) > 0 {
		return d.bearer(r.Context(), headers)
	}
	c, err := r.Cookie(Cookie)
	if err != nil {
		return nil, fault.New(fault.Unauthenticated, "Send an API key as `Authorization: Bearer cg_…`.")
	}
	s, ok := d.Sessions.Key(c.Value)
	if !ok {
		return nil, fault.New(fault.Unauthenticated, "The session has ended. Sign in again.")
	}
	if !safe(r) && !sameOrigin(r) {
		return nil, fault.New(fault.Forbidden, "A session changes things from its own pages alone. Send a key as `Authorization: Bearer cg_…` instead.")
	}
	return d.Keys.Viewer(r.Context(), s)
}

// bearer tells whose the token in the headers is.
func (d *Door) bearer(ctx context.Context, headers []string) (*Viewer, error) {
	token, err := bearer(headers)
	if err != nil {
		return nil, err
	}
	return d.holder(ctx, token)
}

// bearer gives what stands in the header after the scheme.
func bearer(headers []string) (string, error) {
	if len(headers) == 1 {
		kind, token, _ := strings.Cut(strings.TrimSpace(headers[0]), " ")
		if strings.EqualFold(kind, "Bearer") {
			return strings.TrimSpace(token), nil
		}
	}
	return "", fault.New(fault.Unauthenticated, "Send one header, `Authorization: Bearer cg_…`.")
}

// holder tells whose a token is, be it a key or a JWT.
func (d *Door) holder(ctx context.Context, token string) (*Viewer, error) {
	if !isJWT(token) {
		s, err := ParseSecret(token)
		if err != nil {
			return nil, err
		}
		return d.Keys.Viewer(ctx, s)
	}
	if d.Tokens == nil {
		return nil, fault.New(fault.Unauthenticated, "This server accepts no JWTs: it was not told of an identity provider. Send an API key as `Authorization: Bearer cg_…`.")
	}
	return d.Tokens.Viewer(ctx, token)
}

// isJWT tells a JWT, which has three parts, from an API key, right or wrong.
func isJWT(token string) bool {
	return !strings.HasPrefix(token, scheme) && strings.Count(token, ".") == 2
}

// safe tells whether a request changes nothing, whoever sent it. What follows a handshake may.
func safe(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.Header.Get("Upgrade") == ""
}

// sameOrigin tells whether a page of ours sent the request. Browsers say so in Sec-Fetch-Site; older ones in Origin. Neither means no.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	o, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && o.Host != "" && o.Host == r.Host
}

// signIn is what POST /session takes: a key, or a one-time code.
type signIn struct {
	Key  string `json:"key"`
	Code string `json:"code"`
}

const maxSignIn = 4 << 10

// SignIn answers POST /session: it trades a key or a one-time code for the session cookie.
func (d *Door) SignIn(w http.ResponseWriter, r *http.Request) {
	s, err := d.credentials(w, r)
	if err == nil {
		_, err = d.Keys.Viewer(r.Context(), s)
	}
	if err != nil {
		challenge(w, r, err)
		d.Refuse(w, r, err)
		return
	}
	token, until := d.Sessions.Open(s)
	c := cookie(r, token)
	c.Expires = until
	http.SetCookie(w, c)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

func (d *Door) credentials(w http.ResponseWriter, r *http.Request) (Secret, error) {
	if r.Header.Get("Sec-Fetch-Site") != "" && !sameOrigin(r) {
		return Secret{}, fault.New(fault.Forbidden, "Sign in from the server's own page.")
	}
	// A form cannot send JSON, so that no other site's page can sign a visitor in.
	if mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(mediaType), "application/json") {
		return Secret{}, fault.New(fault.BadUserInput, "Send JSON, with Content-Type: application/json.")
	}
	var in signIn
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxSignIn))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil || (in.Key == "") == (in.Code == "") {
		return Secret{}, fault.New(fault.BadUserInput, `Send either {"key":"cg_…"} or {"code":"…"}.`)
	}
	if isJWT(strings.TrimSpace(in.Key)) {
		return Secret{}, fault.New(fault.BadUserInput, "A session is opened with an API key. Send a JWT with each request, as `Authorization: Bearer …`.")
	}
	if in.Key != "" {
		return ParseSecret(strings.TrimSpace(in.Key))
	}
	s, ok := d.Sessions.Redeem(in.Code)
	if !ok {
		return Secret{}, fault.New(fault.Unauthenticated, "The link was used, or is too old. Sign in with a key.")
	}
	return s, nil
}

// SignOut answers DELETE /session.
func (d *Door) SignOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(Cookie); err == nil {
		if !sameOrigin(r) {
			d.Refuse(w, r, fault.New(fault.Forbidden, "Sign out from the server's own page."))
			return
		}
		d.Sessions.Close(c.Value)
	}
	c := cookie(r, "")
	c.MaxAge = -1
	http.SetCookie(w, c)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// Encrypted tells whether the request came by TLS, to this server or to a proxy that says so.
func Encrypted(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

func cookie(r *http.Request, token string) *http.Cookie {
	return &http.Cookie{
		Name: Cookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: Encrypted(r),
	}
}
