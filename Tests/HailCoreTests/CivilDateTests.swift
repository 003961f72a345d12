import HailCore
import Testing

@Suite("Civil date")
struct CivilDateTests {
    @Test(
        "counts days from 1970",
        arguments: [
            (Int64(1970), Int64(1), Int64(1), Int64(0)), (1969, 12, 31, -1), (2000, 2, 29, 11_016),
            (2026, 2, 11, 20_495),
            (1, 1, 1, -719_162), (9999, 12, 31, 2_932_896), (1900, 3, 1, -25_508),
        ])
    func days(year: Int64, month: Int64, day: Int64, number: Int64) throws {
        let date = try #require(CivilDate(year: year, month: month, day: day))
        #expect(date.dayNumber == number)
        #expect(date.monthNumber == year * 12 + month - 1)
    }

    @Test(
        "knows which days there are none of",
        arguments: [
            (Int64(2025), Int64(2), Int64(29)), (1900, 2, 29), (2026, 4, 31), (2026, 0, 1), (2026, 13, 1), (2026, 1, 0),
            (0, 1, 1),
        ])
    func absent(year: Int64, month: Int64, day: Int64) {
        #expect(CivilDate(year: year, month: month, day: day) == nil)
    }

    @Test("puts every day into its month")
    func months() {
        for number in stride(from: Int64(-200_000), to: 200_000, by: 7) {
            let month = CivilDate(dayNumber: number).monthNumber
            #expect((CivilDate.firstDay(ofMonth: month)..<CivilDate.firstDay(ofMonth: month + 1)).contains(number))
        }
    }
}
