package ingest

import (
	"slices"
	"strings"
	"unicode"
)

// synonyms are what English, German and French ledgers call the fields of an activity, the surest first. They are compared as words, so that Trans No. is trans no.
func synonyms(target int) []string {
	switch target {
	case externalID:
		return []string{"external id", "transaction number", "transaction no", "transaction id", "trans no", "trans id", "line id", "entry no", "entry number", "document number", "document no", "doc no",
			"voucher number", "voucher no", "voucher", "journal number", "payment reference", "payment number", "reference number", "reference", "ref", "id", "key", "unique id", "invoice number", "invoice no",
			"belegnummer", "belegnr", "beleg nr", "buchungsnummer", "dokumentnummer", "rechnungsnummer", "numéro de pièce", "n pièce", "pièce", "numéro", "référence", "numéro de facture"}
	case supplierExternalID:
		return []string{"supplier external id", "supplier id", "supplier number", "supplier no", "supplier code", "vendor id", "vendor number", "vendor no", "vendor code", "vendor", "payee id", "creditor number", "creditor id",
			"kreditorennummer", "kreditor nr", "kreditor", "lieferantennummer", "lieferant nr", "lieferanten nr", "code fournisseur", "n fournisseur", "numéro fournisseur"}
	case supplierName:
		return []string{"supplier name", "supplier", "vendor name", "vendor", "beneficiary", "beneficiary name", "payee", "payee name", "creditor name", "creditor", "merchant", "merchant name", "paid to", "company name",
			"lieferant", "lieferantenname", "kreditorname", "kreditor", "empfänger", "zahlungsempfänger", "name des lieferanten", "fournisseur", "nom du fournisseur", "nom fournisseur", "bénéficiaire", "tiers"}
	case category:
		return []string{"category", "scope 3 category", "scope3 category"}
	case description:
		return []string{"description", "expense type", "expenditure category", "expenditure type", "expense category", "spend category", "item description", "account description", "account name", "gl description", "nominal description",
			"cost element name", "cost element", "subjective", "procurement category", "purpose of expenditure", "purpose", "narrative", "line description", "transaction description", "details", "text", "item", "product", "merchant category", "category",
			"bezeichnung", "buchungstext", "beschreibung", "kontobezeichnung", "warengruppe", "verwendungszweck", "artikel", "libellé", "désignation", "intitulé", "nature", "catégorie", "objet", "expenditure"}
	case accountCode:
		return []string{"account code", "account number", "account no", "gl code", "gl account", "gl", "nominal code", "nominal", "cost element", "expense code", "expenditure code", "cost code", "ledger code", "account", "subjective code", "sachkonto", "konto",
			"kontonummer", "kostenart", "compte", "n compte", "numéro de compte", "code comptable", "compte comptable"}
	case occurredOn:
		return []string{"occurred on", "date", "payment date", "paid date", "date paid", "posting date", "transaction date", "trans date", "invoice date", "document date", "entry date", "effective date", "date of payment", "clearing date", "period",
			"datum", "buchungsdatum", "belegdatum", "zahlungsdatum", "rechnungsdatum", "leistungsdatum", "date de paiement", "date comptable", "date de facture", "date d opération", "date opération", "date pièce", "jour"}
	case quantity:
		return []string{"quantity", "qty", "consumption", "usage", "volume", "weight", "distance", "menge", "anzahl", "verbrauch", "quantité", "qté", "consommation"}
	case unit:
		return []string{"unit", "uom", "unit of measure", "units", "measure", "einheit", "mengeneinheit", "me", "unité"}
	case amount:
		return []string{"amount", "net amount", "amount net", "net value", "net", "amount excl vat", "amount ex vat", "total net", "value", "payment amount", "transaction amount", "line amount", "amount in local currency", "spend", "cost", "total",
			"total amount", "invoice amount", "gross amount", "betrag", "nettobetrag", "netto", "wert", "summe", "kosten", "bruttobetrag", "montant", "montant ht", "montant net", "total ht", "valeur", "coût", "montant ttc"}
	case currency:
		return []string{"currency", "currency code", "ccy", "curr", "währung", "währungscode", "whrg", "devise", "monnaie", "code devise"}
	case country:
		return []string{"country", "country code", "supplier country", "vendor country", "land", "ländercode", "länderkürzel", "pays", "code pays"}
	}
	return nil
}

// nameMatch tells how sure it is that a header names a target, 0 to 1, and by which word. A name of ours is certain, a known word nearly, a header that has the word in it half.
func nameMatch(target int, header string) (float64, string) {
	if fold(header) == fold(Targets()[target]) {
		return 1, Targets()[target]
	}
	words := headerWords(header)
	best, by := 0.0, ""
	for i, s := range synonyms(target) {
		want := strings.Fields(s)
		score := 0.0
		switch {
		case slices.Equal(words, want):
			score = 0.95 - 0.004*float64(i)
		case len(words) > len(want) && containsWords(words, want) && len(s) > 3:
			score = 0.5 - 0.004*float64(i) + 0.05*float64(len(want))
		}
		if score > best {
			best, by = score, s
		}
	}
	return best, by
}

// headerWords are the words of a header, without what stands in brackets: Amount (£) is amount.
func headerWords(header string) []string {
	depth := 0
	plain := strings.Map(func(r rune) rune {
		switch {
		case r == '(' || r == '[':
			depth++
			return ' '
		case r == ')' || r == ']':
			depth = max(0, depth-1)
			return ' '
		case depth > 0 || !unicode.IsLetter(r) && !unicode.IsDigit(r):
			return ' '
		}
		return unicode.ToLower(r)
	}, splitCamel(header))
	return strings.Fields(plain)
}

// splitCamel puts spaces into names such as paymentDate.
func splitCamel(s string) string {
	var b strings.Builder
	small := false
	for _, r := range s {
		if small && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		small = unicode.IsLower(r)
		b.WriteRune(r)
	}
	return b.String()
}

func containsWords(words, want []string) bool {
	for i := 0; i+len(want) <= len(words); i++ {
		if slices.Equal(words[i:i+len(want)], want) {
			return true
		}
	}
	return false
}
