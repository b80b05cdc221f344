package schedule

import "cmp"

// spread chooses m further ones of n places on a circle, so that the largest gap between neighbours becomes
// as small as it can without moving those that are taken. taken is sorted; m places must be free.
func spread(n int, taken []int, m int) []int {
	if m == 0 {
		return nil
	}
	var chosen []int
	if len(taken) == 0 {
		chosen, taken, m = []int{0}, []int{0}, m-1
	}
	gaps := gapsBetween(n, taken)
	for range m {
		gaps[widest(gaps)].parts++
	}
	for _, g := range gaps {
		for part := 1; part < g.parts; part++ {
			chosen = append(chosen, (g.start+part*g.length/g.parts)%n)
		}
	}
	return chosen
}

// gap is the way from one taken place to the next, and into how many parts it is to be cut.
type gap struct {
	start, length, parts int
}

func gapsBetween(n int, taken []int) []gap {
	gaps := make([]gap, len(taken))
	for i, place := range taken {
		next := taken[0] + n
		if i+1 < len(taken) {
			next = taken[i+1]
		}
		gaps[i] = gap{start: place, length: next - place, parts: 1}
	}
	return gaps
}

// part is how long its parts are, on average. Equal fractions are equal as floats too: division rounds correctly.
func (g gap) part() float64 {
	return float64(g.length) / float64(g.parts)
}

// widest is the gap with the longest parts; of equals the one whose neighbours have the longest,
// lest new places crowd together; of equals again the first.
func widest(gaps []gap) int {
	around := func(i int) float64 {
		n := len(gaps)
		return gaps[(i+1)%n].part() + gaps[(i+n-1)%n].part()
	}
	most := 0
	for i := range gaps {
		if cmp.Or(cmp.Compare(gaps[i].part(), gaps[most].part()), cmp.Compare(around(i), around(most))) > 0 {
			most = i
		}
	}
	return most
}
