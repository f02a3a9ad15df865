package seed

import (
	"math/rand/v2"
	"strings"
)

// Names are put together from words, so that no real company appears in the demo.
var (
	firstWords  = strings.Fields("Alder Amber Ashby Beacon Birch Borough Bright Calder Cedar Clover Copper Coral Crown Dale Delta Ember Fairway Falcon Fern Flint Granite Harbour Hazel Heron Holm Iron Ivory Juniper Keystone Lark Linden Lotus Maple Meridian Moor Noble North Oak Onyx Orchard Pebble Pine Quarry Raven Ridge River Rowan Sable Slate Sterling Summit Tamar Thistle Tide Umber Vale Vertex Walnut Willow Wren Yarrow Zephyr")
	secondWords = strings.Fields("Alloys Assemblies Blue Bridge Brothers Castings Components Controls Dynamics Electronics Engineering Forge Freight Group Industrial Instruments Logistics Materials Metals Mills Mouldings Packaging Partners Plastics Polymers Precision Print Processing Products Services Solutions Supply Systems Technik Tooling Trading Transport Works")
	endings     = map[string]string{"GB": "Ltd", "IE": "Ltd", "DE": "GmbH", "FR": "SARL", "NL": "B.V.", "IT": "S.r.l.", "ES": "S.L.", "PL": "Sp. z o.o.", "US": "Inc.", "CN": "Co., Ltd.", "JP": "K.K.", "SE": "AB", "CZ": "s.r.o."}
)

// companyName gives the i-th supplier's name: every pair of words once before any comes again with a third.
func companyName(r *rand.Rand, i int, country string) string {
	pairs := len(firstWords) * len(secondWords)
	// A step that shares no factor with the number of pairs visits each of them once.
	at := (i * 1_000_003) % pairs
	name := firstWords[at/len(secondWords)] + " " + secondWords[at%len(secondWords)]
	if round := i / pairs; round > 0 {
		name += " " + firstWords[(round+r.IntN(len(firstWords)))%len(firstWords)]
	}
	return name + " " + endings[country]
}
