package broker

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"carbongraph/internal/exact"
	"carbongraph/internal/telemetry"
)

// LanguageModel is the source that has a model choose among the candidates of a text match. It can choose nothing else.
type LanguageModel struct {
	chat       openai.ChatCompletionService
	client     *http.Client
	address    string
	model      string
	index      *Index
	match      Matcher
	candidates int
	metrics    *telemetry.Broker
}

// LanguageModelOptions say which model is asked.
type LanguageModelOptions struct {
	BaseURL    string // of a server that speaks OpenAI's chat completions, such as http://localhost:11434/v1
	Key        string // empty: none is sent
	Model      string
	Index      *Index
	Match      Matcher
	Candidates int // that the model is shown; 0: 10
	Metrics    *telemetry.Broker
}

const (
	defaultCandidates = 10
	maxCompletion     = 1000 // tokens
)

// NewLanguageModel makes the source. Nothing of OpenAI's environment variables is read: settings alone say where ledger text goes.
func NewLanguageModel(o LanguageModelOptions) *LanguageModel {
	s := &LanguageModel{client: newClient(Model().AtOnce), address: o.BaseURL, model: o.Model, index: o.Index, match: o.Match, candidates: orDefault(o.Candidates, defaultCandidates), metrics: o.Metrics}
	options := []option.RequestOption{option.WithBaseURL(o.BaseURL), option.WithHTTPClient(s.client), option.WithMaxRetries(0), option.WithMiddleware(anonymous)}
	if o.Key != "" {
		options = append(options, option.WithAPIKey(o.Key))
	}
	s.chat = openai.NewChatCompletionService(options...)
	o.Metrics.Model(o.Model)
	return s
}

// anonymous leaves out what the library tells of the machine.
func anonymous(req *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	for name := range req.Header {
		if strings.HasPrefix(name, "X-Stainless-") {
			req.Header.Del(name)
		}
	}
	return next(req)
}

// Name is ModelMatch.
func (*LanguageModel) Name() string { return ModelMatch }

// Tier is Regional, for choices that are sure.
func (*LanguageModel) Tier() Tier { return Regional }

// Sees leaves out who asks, and of the day all but the year. Of that, the prompt holds less.
func (*LanguageModel) Sees(q Question) Question { return outside(q) }

// Settings are which model is asked, where, what it is told, and among how many candidates it chooses.
func (s *LanguageModel) Settings() string {
	return string(text(text(text(text(nil, s.address), s.model), instructions), strconv.Itoa(s.candidates)))
}

// Close lets go of connections.
func (s *LanguageModel) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Look asks the model about one line. Lines do not share a prompt: what one says could sway the choice for another.
func (s *LanguageModel) Look(ctx context.Context, q Question) (Found, error) {
	_, factors, found, err := candidates(ctx, s.index, s.match, q, s.candidates)
	if err != nil || len(factors) == 0 {
		return Found{Unfit: found.Unfit}, err
	}
	text, err := s.complete(ctx, q, factors)
	if err != nil {
		return Found{}, err
	}
	c, err := parseChoice(text)
	switch {
	case err != nil:
		return Found{}, err
	case c.Candidate == 0:
		return Found{}, nil
	case c.Candidate < 0 || c.Candidate > len(factors):
		return Found{Hallucinated: 1}, nil
	}
	return Found{Answers: []Answer{factors[c.Candidate-1].answer(q, exact.NewDecimal(int64(c.Confidence), -2), tame(c.Reason))}}, nil
}

// complete gives what the model writes.
func (s *LanguageModel) complete(ctx context.Context, q Question, factors []*Factor) (string, error) {
	params, err := prompt(q, factors)
	if err != nil {
		return "", err
	}
	params.Model = s.model
	res, err := s.chat.New(ctx, params)
	if err != nil {
		return "", broken(ctx, err)
	}
	s.metrics.Tokens(s.model, res.Usage.PromptTokens, res.Usage.CompletionTokens)
	if len(res.Choices) == 0 {
		return "", &Failure{Status: Malformed, Detail: "the model's answer has no text"}
	}
	switch m := res.Choices[0]; {
	case m.Message.Refusal != "" || m.FinishReason == "content_filter":
		return "", &Failure{Status: Refused, Detail: "the model declines to answer"}
	case m.FinishReason == "length":
		return "", &Failure{Status: Malformed, Detail: "the model's answer is cut off"}
	default:
		return m.Message.Content, nil
	}
}
