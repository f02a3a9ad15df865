package broker_test

import (
	"bytes"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"carbongraph/internal/broker"
	"carbongraph/internal/exact"
	"carbongraph/store"
)

func founds() *rapid.Generator[broker.Found] {
	return rapid.Custom(func(t *rapid.T) broker.Found {
		f := broker.Found{Hallucinated: rapid.IntRange(0, 500).Draw(t, "hallucinated"), Unfit: rapid.IntRange(0, 500).Draw(t, "unfit")}
		for range rapid.IntRange(0, 10).Draw(t, "answers") {
			a := broker.Answer{Tier: broker.Tier(rapid.IntRange(1, 5).Draw(t, "tier")), Region: rapid.String().Draw(t, "region"), Reason: rapid.String().Draw(t, "reason"),
				Confidence: exact.NewDecimal(rapid.Int64Range(0, 1000).Draw(t, "confidence"), -3)}
			copy(a.FactorID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "factor"))
			a.FactorID[0] |= 1
			f.Answers = append(f.Answers, a)
		}
		return f
	})
}

// What is kept comes back as it was, and a part of it, or more than it, is nothing.
func TestWhatIsKeptComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := founds().Draw(t, "found")
		text := broker.EncodeFound(f)
		back, err := broker.DecodeFound(text)
		if err != nil || !reflect.DeepEqual(back, f) {
			t.Fatalf("%+v came back as %+v, %v", f, back, err)
		}
		if _, err := broker.DecodeFound(text[:rapid.IntRange(0, len(text)-1).Draw(t, "cut")]); err == nil {
			t.Fatal("a part is read")
		}
		if _, err := broker.DecodeFound(append(bytes.Clone(text), 0)); err == nil {
			t.Fatal("more is read")
		}
	})
}

func TestWhatIsNoAnswerIsNotRead(t *testing.T) {
	good := broker.Answer{FactorID: id(1), Tier: broker.National, Confidence: exact.MustDecimal("0.5"), Region: "GB", Reason: "x"}
	with := func(change func(*broker.Answer)) []byte {
		a := good
		change(&a)
		return broker.EncodeFound(broker.Found{Answers: []broker.Answer{a}})
	}
	if _, err := broker.DecodeFound(with(func(*broker.Answer) {})); err != nil {
		t.Fatal(err)
	}
	later := with(func(*broker.Answer) {})
	later[0]++
	for name, text := range map[string][]byte{
		"nothing":                         nil,
		"another version":                 later,
		"no factor":                       with(func(a *broker.Answer) { a.FactorID = store.ID{} }),
		"more sure than one can be":       with(func(a *broker.Answer) { a.Confidence = exact.MustDecimal("1.01") }),
		"less sure than nothing":          with(func(a *broker.Answer) { a.Confidence = exact.MustDecimal("-0.01") }),
		"no tier":                         with(func(a *broker.Answer) { a.Tier = 0 }),
		"a tier below the chain":          with(func(a *broker.Answer) { a.Tier = broker.Proxy + 1 }),
		"a text that is none":             with(func(a *broker.Answer) { a.Reason = "\xff" }),
		"a number written longer":         {1, 0x80, 0x00, 0, 0},
		"a number beyond all":             {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0, 0},
		"more answers than there are":     {1, 0, 0, 0xff, 0xff, 0xff, 0x7f},
		"a confidence written in two way": bytes.Replace(with(func(*broker.Answer) {}), []byte("\x030.5"), []byte("\x045e-1"), 1),
	} {
		if f, err := broker.DecodeFound(text); err == nil {
			t.Errorf("%s is read as %+v", name, f)
		}
	}
}

func FuzzWhatIsKept(f *testing.F) {
	f.Add(broker.EncodeFound(broker.Found{Hallucinated: 2, Answers: []broker.Answer{{FactorID: id(1), Tier: broker.National, Confidence: exact.MustDecimal("0.90"), Region: "GB", Reason: "so it is"}}}))
	f.Add(broker.EncodeFound(broker.Found{Unfit: 300}))
	f.Add([]byte{1, 0, 0, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, text []byte) {
		found, err := broker.DecodeFound(text)
		if err == nil && !bytes.Equal(broker.EncodeFound(found), text) {
			t.Fatalf("%x is read as %+v, which is written as %x", text, found, broker.EncodeFound(found))
		}
	})
}
