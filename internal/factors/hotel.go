package factors

// hotelCountry gives the code of a country by the name that the UK's hotel factors use for it; empty where the name is not known.
func hotelCountry(name string) string {
	switch name {
	case "UK", "UK (London)":
		return "GB"
	case "Argentina":
		return "AR"
	case "Australia":
		return "AU"
	case "Austria":
		return "AT"
	case "Belgium":
		return "BE"
	case "Brazil":
		return "BR"
	case "Canada":
		return "CA"
	case "Chile":
		return "CL"
	case "China":
		return "CN"
	case "Colombia":
		return "CO"
	case "Costa Rica":
		return "CR"
	case "Czech Republic":
		return "CZ"
	case "Egypt":
		return "EG"
	case "Fiji":
		return "FJ"
	case "Finland":
		return "FI"
	case "France":
		return "FR"
	case "Germany":
		return "DE"
	case "Greece":
		return "GR"
	case "Hong Kong, China":
		return "HK"
	case "India":
		return "IN"
	case "Indonesia":
		return "ID"
	case "Ireland":
		return "IE"
	case "Israel":
		return "IL"
	case "Italy":
		return "IT"
	case "Japan":
		return "JP"
	case "Jordan":
		return "JO"
	case "Kazakhstan":
		return "KZ"
	case "Korea":
		return "KR"
	case "Macau, China":
		return "MO"
	case "Malaysia":
		return "MY"
	case "Maldives":
		return "MV"
	case "Mexico":
		return "MX"
	case "Netherlands":
		return "NL"
	case "New Zealand":
		return "NZ"
	case "Oman":
		return "OM"
	case "Panama":
		return "PA"
	case "Peru":
		return "PE"
	case "Philippines":
		return "PH"
	case "Poland":
		return "PL"
	case "Portugal":
		return "PT"
	case "Qatar":
		return "QA"
	case "Romania":
		return "RO"
	case "Russian Federation":
		return "RU"
	case "Saudi Arabia":
		return "SA"
	case "Singapore":
		return "SG"
	case "South Africa":
		return "ZA"
	case "Spain":
		return "ES"
	case "Switzerland":
		return "CH"
	case "Taiwan, China":
		return "TW"
	case "Thailand":
		return "TH"
	case "Turkey":
		return "TR"
	case "United Arab Emirates":
		return "AE"
	case "United States":
		return "US"
	case "Vietnam":
		return "VN"
	}
	return ""
}
