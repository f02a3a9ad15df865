package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxBody    = 1 << 20 // bytes of a source's answer
	maxHeader  = 64 << 10
	maxSent    = 500 // bytes of each text of a question that leave the process
	maxReason  = 300 // bytes of a reason that came from outside
	dialWithin = 5 * time.Second
)

const notAgreed = "its answer is not what was agreed on"

// newClient gives an HTTP client for a source outside. It follows no redirect, takes JSON alone, and reads no more than so many bytes; whatever else it gets is
// a *Failure.
func newClient(atOnce int) *http.Client {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialWithin}).DialContext,
		TLSHandshakeTimeout:    dialWithin,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        atOnce,
		MaxIdleConnsPerHost:    atOnce,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
	}
	return &http.Client{Transport: &checked{t}}
}

// checked is a transport that lets through what the protocol allows.
type checked struct{ next *http.Transport }

// RoundTrip gives a response with status 200 and a bounded body of JSON.
func (c *checked) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := c.next.RoundTrip(req)
	if err != nil {
		if req.Context().Err() == nil {
			err = &Failure{Status: Failed, Detail: "it cannot be reached", Retry: true, Cause: err}
		}
		return nil, err
	}
	if f := refusal(res); f != nil {
		res.Body.Close()
		return nil, f
	}
	res.Body = &bounded{res.Body, maxBody}
	return res, nil
}

// CloseIdleConnections is what http.Client asks of a transport.
func (c *checked) CloseIdleConnections() { c.next.CloseIdleConnections() }

// refusal tells what is wrong with a response before its body is read; nil where nothing is.
func refusal(res *http.Response) *Failure {
	f := &Failure{Detail: fmt.Sprintf("HTTP %d", res.StatusCode), After: retryAfter(res.Header)}
	switch s := res.StatusCode; {
	case s == http.StatusOK:
		kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
		if err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json")) {
			return nil
		}
		return &Failure{Status: Malformed, Detail: "its answer is not declared as JSON"}
	case s == http.StatusTooManyRequests:
		f.Status, f.Retry = LimitReached, true
	case s == http.StatusRequestTimeout:
		f.Status, f.Retry = TimedOut, true
	case s >= 500:
		f.Status, f.Retry = Failed, s != http.StatusNotImplemented
	case s >= 400:
		f.Status = Refused
	case s >= 300:
		f.Status, f.Detail = Refused, f.Detail+": redirects are not followed"
	default:
		f.Status = Malformed
	}
	return f
}

// retryAfter reads how long a server wants to be left alone, as seconds or as a date.
func retryAfter(h http.Header) time.Duration {
	s := h.Get("Retry-After")
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(min(max(0, n), 24*60*60)) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return min(max(0, time.Until(at)), 24*time.Hour)
	}
	return 0
}

// bounded fails past so many bytes, and says of a body that breaks off that it does.
type bounded struct {
	io.ReadCloser
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left+1)])
	if b.left -= n; b.left < 0 {
		return 0, &Failure{Status: Malformed, Detail: fmt.Sprintf("its answer is larger than %d bytes", maxBody)}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = &Failure{Status: Malformed, Detail: "its answer breaks off", Retry: true, Cause: err}
	}
	return n, err
}

// withoutAddress takes the address out of an error of net/http: it may hold a secret.
func withoutAddress(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// broken makes an error of a transfer or of a decoder into a failure.
func broken(ctx context.Context, err error) error {
	err = withoutAddress(err)
	switch {
	case failureOf(err) != nil, ctx.Err() != nil:
		return err
	case isNet(err):
		return &Failure{Status: Failed, Detail: "the connection broke", Retry: true, Cause: err}
	}
	return garbled(err)
}

// garbled is the failure to read an answer. Of the error only its kind is kept: its words may be the server's, and with them whatever it was sent.
func garbled(err error) *Failure {
	return &Failure{Status: Malformed, Detail: notAgreed, Cause: fmt.Errorf("%T", err)}
}

func isNet(err error) bool {
	var n net.Error
	return errors.As(err, &n)
}

// cut shortens a text to so many bytes, at a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// tame makes a text from outside one line of bounded length.
func tame(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, s)
	return cut(strings.Join(strings.Fields(s), " "), maxReason)
}
