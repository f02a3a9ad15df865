package auth_test

import (
	"context"
	"fmt"

	"carbongraph/internal/auth"
	"carbongraph/store"
)

func ExampleFrom() {
	ctx := auth.With(context.Background(), &auth.Viewer{Role: store.Editor, KeyName: "nightly import"})
	v := auth.From(ctx)
	fmt.Println(v.KeyName, v.Can(store.Viewer), v.Can(store.Admin))
	// Output: nightly import true false
}
