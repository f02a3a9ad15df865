package store

// categories are the 15 of the GHG Protocol's Scope 3 Standard, in order. They never change: rows name them by number.
var categories = [15]Category{
	{1, "Purchased goods and services", Upstream},
	{2, "Capital goods", Upstream},
	{3, "Fuel- and energy-related activities", Upstream},
	{4, "Upstream transportation and distribution", Upstream},
	{5, "Waste generated in operations", Upstream},
	{6, "Business travel", Upstream},
	{7, "Employee commuting", Upstream},
	{8, "Upstream leased assets", Upstream},
	{9, "Downstream transportation and distribution", Downstream},
	{10, "Processing of sold products", Downstream},
	{11, "Use of sold products", Downstream},
	{12, "End-of-life treatment of sold products", Downstream},
	{13, "Downstream leased assets", Downstream},
	{14, "Franchises", Downstream},
	{15, "Investments", Downstream},
}

// Categories gives the 15 categories in order. They are shared: nobody may change them.
func Categories() []*Category {
	all := make([]*Category, len(categories))
	for i := range categories {
		all[i] = &categories[i]
	}
	return all
}

// CategoryByNumber gives the category 1 to 15; nil for any other number.
func CategoryByNumber(number int32) *Category {
	if number < 1 || int(number) > len(categories) {
		return nil
	}
	return &categories[number-1]
}
