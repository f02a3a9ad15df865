package graph

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// conditions are what a request says about answers that are kept: If-None-Match and Accept-Encoding (RFC 9110), Cache-Control (RFC 9111), and two headers of ours.
type conditions struct {
	match   []string      // the lines of If-None-Match
	coding  coding        // that the answer is wanted in
	around  bool          // no-store: neither take a kept answer nor keep this one
	anew    bool          // no-cache: whether a kept answer still holds is asked of the database
	only    bool          // only-if-cached: a kept answer or none
	limited bool          // by how old a kept answer may be
	oldest  time.Duration // where it is
	token   string        // of a write that the answer must show
	explain bool          // tell in the answer how it came about
}

// tokenHeader carries what a client gives back so that it sees its own writes, on whichever server.
const tokenHeader = "Carbongraph-Version"

// readConditions reads them. What makes no sense is passed over, as the specifications want it, but for the words of our own header.
func readConditions(header http.Header) (c conditions, why *refusal) {
	c.match = header["If-None-Match"]
	c.coding = accepts(header["Accept-Encoding"])
	if lines := header[tokenHeader]; len(lines) == 1 {
		c.token = lines[0]
	}
	for _, line := range header["Cache-Control"] {
		for word := range strings.SplitSeq(line, ",") {
			c.directive(strings.ToLower(strings.TrimSpace(word)))
		}
	}
	for _, line := range header["Graphql-Cache"] {
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "report":
			c.explain = true
		case "":
		default:
			return c, &refusal{status: http.StatusBadRequest, message: "The header GraphQL-Cache of a request is report."}
		}
	}
	return c, nil
}

// directive takes one of Cache-Control in.
func (c *conditions) directive(word string) {
	switch word {
	case "no-store":
		c.around = true
	case "no-cache":
		c.anew = true
	case "only-if-cached":
		c.only = true
	}
	if seconds, ok := strings.CutPrefix(word, "max-age="); ok {
		if n, err := strconv.ParseUint(strings.Trim(seconds, `"`), 10, 31); err == nil {
			c.limited, c.oldest = true, time.Duration(n)*time.Second
		}
	}
}

// anything tells whether If-None-Match is *: any copy is good, as long as there is an answer at all, which must be known first.
func (c *conditions) anything() bool {
	return slices.ContainsFunc(c.match, func(line string) bool { return strings.TrimSpace(line) == "*" })
}

// matches tells whether lines of If-None-Match hold a validator, in any of the forms of RFC 9110, 13.1.2: a list over several lines, or weak.
func matches(lines []string, tag string) bool {
	for _, line := range lines {
		for {
			line = strings.TrimLeft(line, " \t,")
			if line == "" {
				break
			}
			opaque := strings.TrimPrefix(line, "W/")
			if opaque == "" || opaque[0] != '"' {
				break // no list of validators: nothing behind it can be told apart
			}
			end := strings.IndexByte(opaque[1:], '"')
			if end < 0 {
				break
			}
			if opaque[:end+2] == tag {
				return true
			}
			line = opaque[end+2:]
		}
	}
	return false
}
