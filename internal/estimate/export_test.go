package estimate

// What tests of the coding need.
var (
	Encode = encode
	Decode = decode
)
