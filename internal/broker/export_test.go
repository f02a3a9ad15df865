package broker

// ParseChoice reads what a model answers.
func ParseChoice(text string) (candidate, confidence int, reason string, err error) {
	c, err := parseChoice(text)
	return c.Candidate, c.Confidence, c.Reason, err
}

// DecodeAnswers reads what an HTTP source answers to questions, where one factor is stored.
func DecodeAnswers(text []byte, f *Factor, questions int) ([]Found, error) {
	in := &indexed{byRef: map[reference]*Factor{{f.Source, f.Version, f.Code, f.Region, f.Unit}: f}}
	return in.decode(text, make([]Question, questions))
}

// Tame makes a text from outside one line.
func Tame(s string) string { return tame(s) }

// EncodeFound writes what is kept of an answer.
func EncodeFound(f Found) []byte { return encodeFound(f) }

// DecodeFound reads it.
func DecodeFound(b []byte) (Found, error) { return decodeFound(b) }
