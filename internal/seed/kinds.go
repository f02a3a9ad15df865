package seed

// A kind is one sort of ledger line: what the company buys, moves, burns or throws away, how often and how much.
type kind struct {
	account     string
	category    int32
	description []string // one of them, by chance
	unit        string   // empty: the line has money alone
	median      float64  // of the quantity in unit, or of the amount in the currency
	spread      float64  // standard deviation of the logarithm
	weight      int      // how many lines of a thousand, about
	price       float64  // median money per unit, where a quantity comes with money; 0: none
	naics       string   // of the suppliers that sell it; empty: the line names no supplier
	sellers     int      // how many of a thousand suppliers sell it
}

// kinds are the company's purchases and flows over all 15 categories. Account codes are what mapping.yml maps.
var kinds = []kind{
	{account: "4010", category: 1, description: []string{"Sheet steel, cold rolled", "Steel sections", "Steel tube"}, median: 18400, spread: 1.1, weight: 62, naics: "331110", sellers: 40},
	{account: "4020", category: 1, description: []string{"Aluminium extrusions", "Aluminium sheet"}, median: 9200, spread: 1.0, weight: 38, naics: "331318", sellers: 25},
	{account: "4030", category: 1, description: []string{"Injection-moulded parts", "Plastic housings", "Polymer granulate"}, median: 5200, spread: 1.1, weight: 55, naics: "326199", sellers: 60},
	{account: "4040", category: 1, description: []string{"Machined components", "Turned parts", "Precision fittings"}, median: 3900, spread: 1.2, weight: 80, naics: "332710", sellers: 90},
	{account: "4050", category: 1, description: []string{"Printed circuit assemblies", "Sensors and connectors", "Power electronics"}, median: 7400, spread: 1.2, weight: 52, naics: "334418", sellers: 45},
	{account: "4060", category: 1, description: []string{"Corrugated boxes", "Pallet wrap and labels"}, median: 1450, spread: 0.9, weight: 58, naics: "322211", sellers: 40},
	{account: "4070", category: 1, description: []string{"Coatings and adhesives", "Process chemicals"}, median: 2600, spread: 1.0, weight: 34, naics: "325510", sellers: 30},
	{account: "4110", category: 1, description: []string{"Copier paper", "Board for packaging inserts"}, unit: "tonnes", median: 1.8, spread: 0.8, weight: 18, price: 890, naics: "424110", sellers: 15},
	{account: "4120", category: 1, description: []string{"Mains water"}, unit: "cubic metres", median: 310, spread: 0.7, weight: 12, price: 1.9, naics: "221310", sellers: 8},
	{account: "4210", category: 1, description: []string{"Software subscriptions", "Cloud services", "Support contract"}, median: 2900, spread: 1.2, weight: 46, naics: "511210", sellers: 70},
	{account: "4220", category: 1, description: []string{"Legal advice", "Patent filing"}, median: 4100, spread: 1.1, weight: 16, naics: "541110", sellers: 25},
	{account: "4230", category: 1, description: []string{"Management consulting", "Engineering design services"}, median: 8600, spread: 1.1, weight: 22, naics: "541611", sellers: 40},
	{account: "4240", category: 1, description: []string{"Office cleaning", "Window cleaning"}, median: 780, spread: 0.7, weight: 30, naics: "561720", sellers: 25},
	{account: "4250", category: 1, description: []string{"Canteen supplies", "Catering"}, median: 640, spread: 0.8, weight: 34, naics: "722310", sellers: 25},
	{account: "4260", category: 1, description: []string{"Advertising", "Trade fair stand"}, median: 3800, spread: 1.2, weight: 18, naics: "541810", sellers: 30},

	{account: "5010", category: 2, description: []string{"CNC machining centre", "Press line upgrade", "Packaging line"}, median: 64000, spread: 0.9, weight: 5, naics: "333517", sellers: 15},
	{account: "5020", category: 2, description: []string{"Laptops", "Servers", "Workstations"}, median: 5600, spread: 0.9, weight: 10, naics: "334111", sellers: 12},
	{account: "5030", category: 2, description: []string{"Forklift truck", "Electric van"}, median: 27000, spread: 0.5, weight: 4, naics: "333924", sellers: 8},
	{account: "5040", category: 2, description: []string{"Office furniture", "Shelving"}, median: 2300, spread: 0.9, weight: 7, naics: "337214", sellers: 10},

	{account: "6010", category: 3, description: []string{"Electricity, transmission and distribution losses"}, unit: "kWh", median: 42000, spread: 0.8, weight: 22, naics: "221122", sellers: 6},
	{account: "6020", category: 3, description: []string{"Natural gas, well to tank"}, unit: "kWh (Gross CV)", median: 28000, spread: 0.8, weight: 16, naics: "221210", sellers: 6},
	{account: "6030", category: 3, description: []string{"Diesel for the fleet, well to tank"}, unit: "litres", median: 1900, spread: 0.7, weight: 14, naics: "424720", sellers: 8},

	{account: "6110", category: 4, description: []string{"Inbound road freight", "Groupage", "Full truck load"}, unit: "tonne.km", median: 5200, spread: 1.1, weight: 60, price: 0.14, naics: "484121", sellers: 45},
	{account: "6120", category: 4, description: []string{"Container from Asia"}, unit: "tonne.km", median: 190000, spread: 0.6, weight: 10, price: 0.009, naics: "483111", sellers: 10},
	{account: "6130", category: 4, description: []string{"Air freight, urgent parts"}, unit: "tonne.km", median: 4100, spread: 0.9, weight: 8, price: 0.9, naics: "481112", sellers: 8},
	{account: "6140", category: 4, description: []string{"Warehouse storage"}, median: 3300, spread: 0.7, weight: 14, naics: "493110", sellers: 15},

	{account: "6210", category: 5, description: []string{"Mixed commercial waste to landfill"}, unit: "tonnes", median: 2.4, spread: 0.7, weight: 14, price: 165, naics: "562212", sellers: 8},
	{account: "6220", category: 5, description: []string{"Metal swarf, recycled", "Cardboard, recycled"}, unit: "tonnes", median: 3.1, spread: 0.8, weight: 16, naics: "562920", sellers: 8},

	{account: "6310", category: 6, description: []string{"Flight, short haul", "Flight to supplier audit"}, unit: "passenger.km", median: 2300, spread: 0.5, weight: 24, price: 0.13, naics: "481111", sellers: 10},
	{account: "6320", category: 6, description: []string{"Flight, long haul"}, unit: "passenger.km", median: 15800, spread: 0.3, weight: 8, price: 0.07, naics: "481111", sellers: 10},
	{account: "6330", category: 6, description: []string{"Rail tickets"}, unit: "passenger.km", median: 340, spread: 0.6, weight: 34, price: 0.19, naics: "485112", sellers: 6},
	{account: "6340", category: 6, description: []string{"Hotel nights"}, unit: "Room per night", median: 2, spread: 0.5, weight: 30, price: 118, naics: "721110", sellers: 20},
	{account: "6350", category: 6, description: []string{"Hire car"}, unit: "km", median: 260, spread: 0.7, weight: 14, price: 0.4, naics: "532111", sellers: 8},

	{account: "6410", category: 7, description: []string{"Commuting by car, survey"}, unit: "km", median: 14500, spread: 0.5, weight: 14},
	{account: "6420", category: 7, description: []string{"Commuting by bus, survey"}, unit: "passenger.km", median: 5200, spread: 0.5, weight: 7},
	{account: "6430", category: 7, description: []string{"Working from home, survey"}, unit: "per FTE Working Hour", median: 2100, spread: 0.4, weight: 7},

	{account: "6510", category: 8, description: []string{"Leased office, electricity"}, unit: "kWh", median: 6100, spread: 0.6, weight: 8, naics: "531120", sellers: 8},
	{account: "6520", category: 8, description: []string{"Leased copiers and forklifts"}, median: 950, spread: 0.6, weight: 8, naics: "532420", sellers: 8},

	{account: "7010", category: 9, description: []string{"Parcel delivery to customers", "Pallet delivery to dealers"}, unit: "tonne.km", median: 2100, spread: 1.0, weight: 36},
	{account: "7110", category: 10, description: []string{"Coating of our parts at customers"}, median: 3600, spread: 0.8, weight: 6},
	{account: "7210", category: 11, description: []string{"Electricity used by pumps sold", "Electricity used by controllers sold"}, unit: "kWh", median: 310000, spread: 0.9, weight: 14},
	{account: "7310", category: 12, description: []string{"Sold products, scrapped"}, unit: "tonnes", median: 5.6, spread: 0.8, weight: 8},
	{account: "7410", category: 13, description: []string{"Let workshop, electricity"}, unit: "kWh", median: 5200, spread: 0.5, weight: 5},
	{account: "7510", category: 14, description: []string{"Franchised service points, electricity"}, unit: "kWh", median: 3900, spread: 0.6, weight: 6},
	{account: "7610", category: 15, description: []string{"Stake in tooling venture, share of revenue"}, median: 21000, spread: 0.6, weight: 3},

	// What every real ledger has too: lines that are no purchase, and lines that nobody has mapped yet.
	{account: "8010", category: 1, description: []string{"Business rates", "Vehicle excise duty"}, median: 5200, spread: 0.6, weight: 6},
	{account: "9990", category: 1, description: []string{"Suspense, to be cleared"}, median: 700, spread: 1.1, weight: 8, naics: "423840", sellers: 20},
}
