import { BarChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Survey } from '../../engine/model/survey';
import { shortened } from './layout';
import { checkPanel, eventPanel, guestLegend, mostGuests, overheadPanel, variationPanel, type Panel } from './model-panels';

use([BarChart, LineChart, ScatterChart, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, SVGRenderer]);

const width = 1440;
const rowHeight = 390;
const overheadHeight = 480;
/** Between the large charts and the small ones: what the colours of the small ones mean. */
const stripHeight = 78;
/** Around the area of a chart in its box. */
const margin = { left: 84, right: 44, top: 88, bottom: 62 };
const edge = 24;
/** Characters of a guest's name in the legend. */
const mostName = 24;

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** All charts of a survey as one SVG document. */
export function drawSurvey(survey: Survey): string {
  const small = [...survey.variations.map(variationPanel), checkPanel(survey)];
  const smallTop = overheadHeight + rowHeight + stripHeight;
  const third = width / 3;
  const guests = survey.variations[0]?.overheads.length ?? 0;
  const placed: { panel: Panel; box: Box }[] = [
    { panel: overheadPanel(survey), box: { left: 0, top: 0, width, height: overheadHeight } },
    { panel: eventPanel(survey), box: { left: 0, top: overheadHeight, width, height: rowHeight } },
    ...small.map((panel, i) => ({ panel, box: { left: (i % 3) * third, top: smallTop + Math.floor(i / 3) * rowHeight, width: third, height: rowHeight } })),
  ];
  const height = smallTop + Math.ceil(small.length / 3) * rowHeight + edge;

  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      // Without quotes, which the library would put into an attribute as they are.
      textStyle: { fontFamily: 'system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif', color: '#1f2933' },
      title: [
        ...placed.map(({ panel, box }) => titleAt(box.left, box.top + 16, panel.title, panel.subtitle, box.width < width ? 15 : 17)),
        ...(survey.variations.length > 0 ? [titleAt(0, smallTop - stripHeight + 10, `What overhead depends on: one thing varied, all else as above${guests > mostGuests ? `. The first ${mostGuests} of ${guests} guests` : ''}`, '', 17)] : []),
      ],
      legend: [
        ...placed.flatMap(({ panel, box }) => (panel.legend ? [legendAt(box.top + 64, panel.legend)] : [])),
        legendAt(smallTop - stripHeight + 42, guestLegend(survey)),
      ],
      grid: placed.map(({ panel, box }) => {
        const [left, top] = [panel.left ?? margin.left, margin.top + (panel.headroom ?? 0)];
        return { left: box.left + left, top: box.top + top, width: box.width - left - margin.right, height: box.height - top - margin.bottom };
      }),
      xAxis: placed.map(({ panel }, gridIndex) => ({ gridIndex, ...panel.x })),
      yAxis: placed.map(({ panel }, gridIndex) => ({ gridIndex, ...panel.y })),
      series: placed.flatMap(({ panel }, index) => panel.series.map((series) => ({ xAxisIndex: index, yAxisIndex: index, ...series }))),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

function titleAt(left: number, top: number, text: string, subtext: string, fontSize: number): object {
  return {
    text, subtext, left: left + edge, top, itemGap: 7,
    textStyle: { fontSize, fontWeight: 600, color: '#1f2933' },
    subtextStyle: { fontSize: 12.5, color: '#52606d' },
  };
}

function legendAt(top: number, data: NonNullable<Panel['legend']>): object {
  return { data, left: edge, top, width: width - 2 * edge, itemWidth: 16, itemHeight: 11, itemGap: 26, icon: 'roundRect', textStyle: { fontSize: 12.5, color: '#323f4b' }, formatter: (name: string) => shortened(name, mostName) };
}
