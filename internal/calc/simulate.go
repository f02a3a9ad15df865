package calc

import (
	"math"
	"math/rand/v2"
)

// Simulation is what draws of an uncertain mass come to.
type Simulation struct {
	Mean      float64
	Low, High float64 // the 2.5th and the 97.5th percentile
}

// Simulate draws a mass so many times: each percent is half the width of the 95 % interval of something that it was multiplied of, log-normal as
// in the analytical interval, and independent of the others. The same seed gives the same draws.
//
// It is for what has no formula, and to check the one that there is; figures are floating point, and its error is that of chance. With σ the standard
// deviation of the logarithm, n draws put each end within 2.67 σ/√n of where it belongs two times in three. From n = (400 σ)² on, one seed in a hundred
// at most has an end that is more than 2 % off: ten thousand draws do for 60 percent (4 of 1,000 seeds were off), 100 percent take 20,000 (10 of 1,000)
// and 200 percent 50,000 (2 of 1,000).
func Simulate(seed uint64, draws int, mass float64, percents ...float64) Simulation {
	random := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) // a second word that has no pattern
	deviations := make([]float64, len(percents))
	for i, p := range percents {
		deviations[i] = math.Log1p(p/100) / z975
	}
	logs := make([]float64, max(draws, 1))
	sum := 0.0
	for i := range logs {
		for _, d := range deviations {
			logs[i] += d * random.NormFloat64()
		}
		sum += math.Exp(logs[i])
	}
	below := len(logs) / 40
	low := math.Exp(nth(logs, below))
	high := math.Exp(nth(logs, len(logs)-1-below))
	if mass < 0 {
		low, high = high, low
	}
	return Simulation{Mean: mass * sum / float64(len(logs)), Low: mass * low, High: mass * high}
}

// z975 is how many standard deviations of a normal distribution lie between its mean and its 97.5th percentile.
const z975 = 1.959963984540054

// nth gives the value that n others are not above, by Hoare's selection; it moves the values.
func nth(values []float64, n int) float64 {
	for low, high := 0, len(values)-1; low < high; {
		pivot, i, j := values[(low+high)/2], low, high
		for i <= j {
			for values[i] < pivot {
				i++
			}
			for pivot < values[j] {
				j--
			}
			if i <= j {
				values[i], values[j] = values[j], values[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case n <= j:
			high = j
		case n >= i:
			low = i
		default:
			return values[n]
		}
	}
	return values[n]
}
