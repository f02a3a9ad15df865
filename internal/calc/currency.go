package calc

import "strings"

// currencies are the codes of ISO 4217 in use, and those of our exchange rates that are not any more.
const currencies = " AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP CNY COP CRC CUP CVE CZK " +
	"DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT " +
	"LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF " +
	"SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG " +
	"ATS BEF DEM ESP FIM FRF GRD IEP ITL NLG PTE HRK VEF VEB "

// IsCurrency tells whether a unit is a currency's code: three capitals of ISO 4217.
func IsCurrency(unit string) bool {
	return len(unit) == 3 && !strings.Contains(unit, " ") && strings.Contains(currencies, unit)
}

// euroArea are the codes under which tables of inflation carry the euro area; Germany, its largest economy, where they do not.
var euroArea = []string{"XC", "EMU", "EA", "DE"}

// countriesOf lists whose prices a currency follows, best first. A code begins with its country, but for those that several share.
func countriesOf(currency string) []string {
	if currency == "EUR" {
		return euroArea
	}
	return []string{currency[:2]}
}
