package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"carbongraph/internal/exact"
)

// HTTP is a source behind an address that speaks the protocol of docs/broker.md.
type HTTP struct {
	address, key string
	index        *Index
	client       *http.Client
}

// HTTPOptions say where a source is.
type HTTPOptions struct {
	URL   string
	Key   string // sent as a bearer token; empty: none
	Index *Index // of the factors that may be named
}

// NewHTTP makes the source.
func NewHTTP(o HTTPOptions) *HTTP {
	return &HTTP{address: o.URL, key: o.Key, index: o.Index, client: newClient(Remote().AtOnce)}
}

// Name is "http".
func (*HTTP) Name() string { return "http" }

// Tier is Regional: the factors that it may name are stored ones.
func (*HTTP) Tier() Tier { return Regional }

// Sees leaves out who asks, and of the day all but the year.
func (*HTTP) Sees(q Question) Question { return outside(q) }

// outside is what of a question may leave the process, texts cut.
func outside(q Question) Question {
	seen := Question{Description: cut(q.Description, maxSent), AccountCode: cut(q.AccountCode, maxSent), Code: cut(q.Code, maxSent), SupplierName: cut(q.SupplierName, maxSent),
		Country: cut(q.Country, maxSent), Region: cut(q.Region, maxSent), Unit: cut(q.Unit, maxSent)}
	if !q.On.IsZero() {
		seen.On = exact.NewDate(q.On.Year(), time.January, 1)
	}
	return seen
}

// Settings are its address. A new key asks the same server.
func (s *HTTP) Settings() string { return s.address }

// Close lets go of connections.
func (s *HTTP) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

type httpQuestion struct {
	Description  string `json:"description,omitempty"`
	AccountCode  string `json:"accountCode,omitempty"`
	Code         string `json:"code,omitempty"`
	SupplierName string `json:"supplierName,omitempty"`
	Country      string `json:"country,omitempty"`
	Region       string `json:"region,omitempty"`
	Unit         string `json:"unit,omitempty"`
	Year         *int   `json:"year,omitempty"`
}

type httpRequest struct {
	Questions []httpQuestion `json:"questions"`
}

type httpResponse struct {
	Answers [][]httpAnswer `json:"answers"`
}

type httpAnswer struct {
	Source     string         `json:"source"`
	Version    string         `json:"version"`
	Code       string         `json:"code"`
	Region     string         `json:"region"`
	Unit       string         `json:"unit"`
	Confidence *exact.Decimal `json:"confidence"`
	Reason     string         `json:"reason"`
}

// Look is LookMany for one.
func (s *HTTP) Look(ctx context.Context, q Question) (Found, error) {
	found, err := s.LookMany(ctx, []Question{q})
	if err != nil {
		return Found{}, err
	}
	return found[0], nil
}

// LookMany asks all questions in one request.
func (s *HTTP) LookMany(ctx context.Context, qs []Question) ([]Found, error) {
	in, err := s.index.now(ctx)
	if err != nil {
		return nil, err
	}
	text, err := s.post(ctx, qs)
	if err != nil {
		return nil, err
	}
	return in.decode(text, qs)
}

// decode reads the answers to questions, and accepts those whose factor is stored.
func (in *indexed) decode(text []byte, qs []Question) ([]Found, error) {
	var res httpResponse
	if err := json.Unmarshal(text, &res); err != nil {
		return nil, garbled(err)
	}
	if len(res.Answers) != len(qs) {
		return nil, &Failure{Status: Malformed, Detail: fmt.Sprintf("%d lists of answers to %d questions", len(res.Answers), len(qs))}
	}
	out := make([]Found, len(qs))
	for i, q := range qs {
		if len(res.Answers[i]) > maxAnswers {
			return nil, &Failure{Status: Malformed, Detail: fmt.Sprintf("more than %d answers to a question", maxAnswers)}
		}
		for _, a := range res.Answers[i] {
			if a.Confidence == nil {
				return nil, &Failure{Status: Malformed, Detail: "an answer without a confidence"}
			}
			out[i].take(in, q, a)
		}
	}
	return out, nil
}

// take accepts an answer whose factor is stored.
func (f *Found) take(in *indexed, q Question, a httpAnswer) {
	factor := in.byRef[reference{a.Source, a.Version, a.Code, a.Region, a.Unit}]
	switch {
	case factor == nil:
		f.Hallucinated++
	case !factor.fits(q):
		f.Unfit++
	default:
		f.Answers = append(f.Answers, factor.answer(q, *a.Confidence, tame(a.Reason)))
	}
}

// post sends questions and gives the body of the answer.
func (s *HTTP) post(ctx context.Context, qs []Question) ([]byte, error) {
	ask := httpRequest{Questions: make([]httpQuestion, len(qs))}
	for i, q := range qs {
		ask.Questions[i] = httpQuestion{q.Description, q.AccountCode, q.Code, q.SupplierName, q.Country, q.Region, q.Unit, nil}
		if !q.On.IsZero() {
			ask.Questions[i].Year = new(q.On.Year())
		}
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address, bytes.NewReader(body))
	if err != nil {
		return nil, &Failure{Status: Failed, Detail: "its address is none", Cause: withoutAddress(err)}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if s.key != "" {
		req.Header.Set("Authorization", "Bearer "+s.key)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, broken(ctx, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, broken(ctx, err)
	}
	return text, nil
}
